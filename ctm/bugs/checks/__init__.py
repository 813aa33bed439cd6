"""Checks of a mutant: is it what its kind says (`validity`), and where does it change the code (`changes`)?"""
