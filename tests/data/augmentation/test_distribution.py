"""What is drawn is spread as the docstrings say."""

from typing import Any

import numpy as np
import pytest

from nnctl.data.augmentation import augment
from nnctl.engine.parameters import Array
from tests.data.augmentation.images import of

MANY = 4000
NO_TARGETS = np.zeros((MANY, 1))


def applied(spec: dict[str, Any], x: Array) -> Array:
    return augment([of(spec)], x, NO_TARGETS, 11, 0)[0]


def test_flips_half_of_the_images_each_way() -> None:
    corner = np.zeros((MANY, 2, 2, 1), np.float32)
    corner[:, 0, 0] = 1
    share = applied({"type": "flip", "vertical": True}, corner).mean(axis=0)[..., 0]
    np.testing.assert_allclose(share, 0.25, atol=0.03)


@pytest.mark.parametrize("spec", [{"type": "shift", "pixels": [1, 2]}])
def test_shifts_are_uniform(spec: dict[str, Any]) -> None:
    point = np.zeros((MANY, 5, 7, 1), np.float32)
    point[:, 2, 3] = 1
    share = applied(spec, point).mean(axis=0)[..., 0]
    np.testing.assert_allclose(share[1:4, 1:6], 1 / 15, atol=0.02)
    assert share[1:4, 1:6].sum() == pytest.approx(1)


def test_cutout_covers_every_pixel_as_often_as_the_paper_says() -> None:
    """The centre is uniform, so a pixel is covered by the share of centres within reach."""
    share = 1 - applied({"type": "cutout", "size": 3}, np.ones((MANY, 6, 6, 1), np.float32)).mean(axis=0)[..., 0]
    reach = np.array([2, 3, 3, 3, 3, 2])
    np.testing.assert_allclose(share, np.outer(reach, reach) / 36, atol=0.03)


def test_scale_is_as_likely_to_halve_as_to_double() -> None:
    # The second column of a ramp about the centre shows the factor.
    ramp = np.broadcast_to(np.arange(9.0)[:, None] - 4, (MANY, 9, 9))[..., None].copy()
    slope = applied({"type": "scale", "range": [0.5, 2]}, ramp)[:, 5, 4, 0]
    assert np.median(np.log2(1 / slope)) == pytest.approx(0, abs=0.05)
    assert np.log2(1 / slope).std() == pytest.approx(2 / 12**0.5, abs=0.05)


def test_angles_are_uniform_and_symmetric() -> None:
    ramp = np.broadcast_to(np.arange(9.0)[:, None] - 4, (MANY, 9, 9))[..., None].copy()
    sine = applied({"type": "rotate", "degrees": 30}, ramp)[:, 4, 5, 0]
    degrees = np.rad2deg(np.arcsin(sine))
    assert degrees.mean() == pytest.approx(0, abs=1)
    assert degrees.std() == pytest.approx(60 / 12**0.5, rel=0.03)
    assert np.abs(degrees).max() <= 30 + 1e-9


def test_mixup_hardly_mixes_at_small_alpha() -> None:
    x = np.random.default_rng(0).normal(size=(MANY, 1))
    shares = {a: augment([of({"type": "mixup", "alpha": a})], x.copy(), np.eye(MANY), 0)[1] for a in (0.1, 1.0)}
    most = {a: t.max(axis=1) for a, t in shares.items()}
    assert (most[0.1] > 0.9).mean() > 0.6
    assert most[1.0].mean() == pytest.approx(0.75, abs=0.02)  # the larger of u and 1 - u, u uniform
