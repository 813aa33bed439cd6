"""The package index: pinned lists, the client that downloads and checks archives, what is read in them, and licenses.

Nothing is unpacked to disk, built or run.
"""
