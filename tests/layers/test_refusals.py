"""What layers cannot take is said when the network is built."""

import pytest

from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.errors import ConfigError
from nnctl.layers import Dense, Embedding, GroupNormalization, Reshape
from tests.networks import chain

REFUSED = [
    (Dense(units=2), Signal(()), "needs inputs with at least one axis"),
    (Dense(), Signal((3,)), "dense needs `units` here"),
    (Embedding(units=2, size=4), Signal((3,), tokens=5), "has 4 vectors for 5 different tokens; leave `size` out"),
    (GroupNormalization(groups=4), Signal((2, 6)), "finds 6 channels, which 4 groups do not divide evenly"),
    (Reshape(shape=(2, 2)), Signal((5,)), r"finds 5 values in inputs of shape \(5,\); \(2, 2\) has 4"),
]


@pytest.mark.parametrize(("layer", "given", "words"), REFUSED, ids=[layer.type for layer, _, _ in REFUSED])
def test_what_does_not_fit_is_told(layer: Layer, given: Signal, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        chain([layer], given)
