"""nnctl trains neural networks from the shell, and every number can be checked."""

__version__ = "0.1.0"
