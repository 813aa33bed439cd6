"""From clean snippets and a mix of kinds to mutants.

`draw` makes the mutants of one snippet (`clean`) by the `mix`, of the snippet itself or of a reshaped one (`shapes`);
`security` says which samples a snippet's own code gives. `worker` runs it in a process that may be killed, `quotas`
turns the mix into weights to draw by, and `mutate` writes a shard, with its `rates`.
"""
