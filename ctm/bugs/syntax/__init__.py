"""Kinds of bugs that do not compile, one module for each part of the syntax that goes wrong.

Each module registers its kinds with `ctm.bugs.registry.register`; the registry lists the modules.
"""
