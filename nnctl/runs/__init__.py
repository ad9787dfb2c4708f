"""What lands on disk: the run directory and the formats of its files."""
