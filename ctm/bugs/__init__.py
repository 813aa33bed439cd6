"""The bug taxonomy and the mutators: clean code in, (buggy, fixed) texts out, each checked before it is kept.

Kinds stand in `syntax`, `logic`, `security` and `complex`, and are listed by `registry`; they read snippets with
`static_analysis`. `generation` draws and writes mutants, `checks` says whether one is kept, `fixes` reads real fixes.
Mistakes are modeled on what people really write (docs/bugs.md lists every kind with an example), because what the
model is shown weighs more than its network.
"""
