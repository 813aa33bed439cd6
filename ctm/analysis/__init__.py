"""What the ticks are worth: accuracy and certainty by tick, and ticks by difficulty."""
