"""Real fixes from Stack Overflow.

Posts are rows of a dump (`dump`, `spill`) or of the API (`api`); `code_blocks` finds the code in them, `pairing` which
block of a question an answer corrects. `collector` writes the pairs; `settings` needs no parser.
"""
