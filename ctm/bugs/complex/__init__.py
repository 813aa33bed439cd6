"""Kinds of bugs that take more than one short edit to repair.

`several` has small bugs in several places; of one long edit are code that is missing (`dropped`) and code that is in
the wrong place (`moved`), in whole logical lines (`lines`).
"""
