"""What the model reaches: thresholds from the validation split, figures from the frozen test sets."""
