"""The worked example: one training step on one example, with every number and formula."""
