"""What can be said about a snippet without running it.

`source` holds its tokens, lines and tree; `scopes` the variables that are surely bound at a place; `evidence` and
`comparisons` what the snippet shows about a place, so that a bug made there can be repaired.
"""
