"""From clean snippets and a mix of kinds to mutants.

`draw` makes the mutants of one snippet, from the snippet itself or a reshaped one (`shapes`); `worker` runs it in a
process that may be killed; `quotas` turns the mix into weights to draw by; `mutate` writes a shard, with its `rates`.
"""
