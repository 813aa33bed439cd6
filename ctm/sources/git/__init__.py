"""Real fixes from git histories.

Repositories come from GitHub's search (`github`) or a list (`repositories`); `collector` and `history` read many of
them and survive being killed; `messages` and `commits` find the fixes. git runs in `process`; `plumbing` is what is
read of it.
"""
