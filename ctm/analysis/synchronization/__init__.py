"""What the synchronization of a trained CTM says, each question with a number, its controls and its null."""
