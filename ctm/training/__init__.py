"""Training: the stage's data, the loss on two ticks, checkpoints, and the loop of one curriculum stage."""
