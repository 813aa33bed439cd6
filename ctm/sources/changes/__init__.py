"""What changed between two versions of a file, and whether it can be a bug fix; shared by all sources of real fixes.

`functions` finds the functions that changed; `meaning`, `cosmetic` and `refactored` (by `plain_form`) tell which
changes no run notices.
"""
