"""What several tests share: real code, servers and checkouts that are made up, runs of stages and collectors."""
