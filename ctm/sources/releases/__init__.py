"""Real fixes from consecutive patch releases of pinned packages: `collector` compares wheels, `sweeps` finds what was
changed in the same way everywhere.
"""
