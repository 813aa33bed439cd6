"""The client of REST APIs that GitHub and Stack Exchange share: it waits as it is told, and remembers (`etags`)."""
