"""Clean code to break: distributions that are installed, pinned packages, or both (`choice`), cut into snippets of
projects (`projects`).
"""
