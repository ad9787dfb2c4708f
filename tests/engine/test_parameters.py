"""The flat vector and its views."""

import numpy as np

from nnctl.engine.parameters import Layout, Parameter
from nnctl.initializers import Constant, Normal

W, B = Normal(deviation=1.0), Constant(value=0.5)
DECLARED = {
    "first": {"weight": Parameter((3, 2), W), "bias": Parameter((2,), B, decays=False)},
    "block": {"inner": {"weight": Parameter((2, 2), W, trainable=False)}, "gain": Parameter((2,), B, decays=False)},
    "last": {"weight": Parameter((2, 1), W)},
}


def test_groups_are_slices() -> None:
    layout = Layout(DECLARED)
    assert layout.size == 6 + 2 + 4 + 2 + 2
    assert layout.decayed == slice(0, 8)
    assert layout.trained == slice(0, 12)
    assert layout.slices["block.inner.weight"] == slice(12, 16)


def test_slices_cover_the_vector_once() -> None:
    layout = Layout(DECLARED)
    covered = np.zeros(layout.size, int)
    for span in layout.slices.values():
        covered[span] += 1
    assert (covered == 1).all()


def test_views_share_memory_and_nest() -> None:
    layout = Layout(DECLARED)
    vector = np.arange(layout.size, dtype=float)
    views = layout.views(vector)
    views["block"]["inner"]["weight"][1, 1] = -7
    assert vector[15] == -7
    assert views["first"]["weight"].shape == (3, 2)


def test_initial_values_come_from_streams_of_their_own() -> None:
    whole = Layout(DECLARED)
    fewer = Layout({"last": DECLARED["last"]})
    a, b = whole.initial(seed=4), fewer.initial(seed=4)
    np.testing.assert_array_equal(whole.view(a, "last.weight"), fewer.view(b, "last.weight"))
    assert not np.array_equal(a, whole.initial(seed=5))
    assert not np.array_equal(a, whole.initial(seed=4, restart=1))


def test_float32_starts_where_float64_does() -> None:
    layout = Layout(DECLARED)
    np.testing.assert_array_equal(layout.initial(1, dtype=np.float32), layout.initial(1, dtype=np.float64).astype("f4"))
