"""The engine: parameters in one flat vector, layers over it, gradients by hand."""
