"""Tick analysis: accuracy and certainty by tick, and whether harder code takes more ticks."""
