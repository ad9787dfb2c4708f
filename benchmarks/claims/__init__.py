"""The claims, in the order of the table; one file a group of them."""

from benchmarks.claims import cnn, digits, floor, growth, mlp, prediction, process

CLAIMS = (*mlp.CLAIMS, *digits.CLAIMS, *cnn.CLAIMS, *process.CLAIMS, *prediction.CLAIMS, *floor.CLAIMS, *growth.CLAIMS)
