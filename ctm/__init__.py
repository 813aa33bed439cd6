"""CTM Code Repair: from raw Python history to a small model that repairs Python.

One package a phase: pairs, sources, bugs, grid, model, training, evaluation, analysis, export, repair; `pipeline` joins
them into a workflow. Importing `ctm` imports none of them (nor torch).
"""

__version__ = "0.1.0"
