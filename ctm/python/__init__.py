"""Python source as text: whether it compiles, what the parser says of it, its lexical tokens.

Pairs, grids and repair stand on this; it imports nothing else of the package.
"""
