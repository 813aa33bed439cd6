"""Real fixes, read in the words of the taxonomy: which kind each one undoes, and how often people make each kind.

`classification` names the kind by the shape of the edit (`edit`, `shapes`, `defaults`, `tables`); `mix_fit` learns the
weights of the bug mix.
"""
