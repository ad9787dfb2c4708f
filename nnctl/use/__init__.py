"""What is done with a trained model: measuring, predicting, finding what it gets wrong."""
