"""Kinds of bugs that compile and compute something else: operators, numbers, names, attributes, arguments, statements.

A bug is made only where the snippet shows what is right (`ctm.bugs.static_analysis.evidence`).
"""
