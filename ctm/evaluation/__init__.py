"""Evaluation: thresholds from the validation split, figures from the frozen test sets."""
