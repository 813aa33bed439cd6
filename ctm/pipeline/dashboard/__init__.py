"""The dashboard of a run: where it stands, day by day, from its logs alone."""
