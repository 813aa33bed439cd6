"""The bug taxonomy and the mutators: clean code in, (buggy, fixed) texts out, each checked before it is kept.

Mistakes are modelled on what people really write (docs/bugs.md lists every kind with an example), because what the
model is shown weighs more than its network.
"""
