"""Text <-> 64x48 token grid <-> edits: tokenizer, layout, the parser's diagnosis, edits, and the Zarr store."""
