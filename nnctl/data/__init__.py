"""From files to examples: sources, splits, and the encoding of columns as numbers."""
