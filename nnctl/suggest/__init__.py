"""What `nnctl init` decides: from a file of examples to an experiment file that says why."""
