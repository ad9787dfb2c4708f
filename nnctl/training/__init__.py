"""Training: a generator of events that does no input or output."""
