"""Each augmentation against a slow, plain version: pixel by pixel, with what it drew taken apart."""

from collections.abc import Callable, Sequence
from math import cos, floor, radians, sin
from typing import Any

import numpy as np
import pytest

from nnctl.data.augmentation import augment
from nnctl.data.augmentation.affine import resample
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from tests.data.augmentation.images import CHANNELS, HEIGHT, IMAGES, TARGETS, WIDTH, N, of


def applied(spec: dict[str, Any], x: Array = IMAGES) -> Array:
    return augment([of(spec)], x.copy(), TARGETS, 0, 0)[0]


def drawn() -> np.random.Generator:
    return stream(0, "augment", 0, 0)


def pixel(image: Array, i: int, j: int, fill: float = 0.0) -> Array:
    """A pixel of an image (h, w, c); `fill` outside."""
    inside = 0 <= i < HEIGHT and 0 <= j < WIDTH
    return image[i, j].astype(np.float64) if inside else np.full(CHANNELS, fill)


def filled(value: Callable[..., Any]) -> Array:
    """Images whose value at image n and pixel (i, j) is value(n, i, j)."""
    return np.array([[[value(n, i, j) for j in range(WIDTH)] for i in range(HEIGHT)] for n in range(N)])


@pytest.mark.parametrize("pixels", [2, [1, 4], [0, 3], 20])
def test_shift(pixels: int | Sequence[int]) -> None:
    v, h = (pixels, pixels) if isinstance(pixels, int) else pixels
    down, right = np.array([[v], [h]]) - drawn().integers(0, [[2 * v], [2 * h]], (2, N), endpoint=True)
    x = applied({"type": "shift", "pixels": pixels, "fill": 9})
    np.testing.assert_array_equal(x, filled(lambda n, i, j: pixel(IMAGES[n], i - down[n], j - right[n], 9)))
    assert set(down) == set(range(-v, v + 1)) or v > 4


@pytest.mark.parametrize("extend", ["zero", "edge", "reflect"])
def test_crop(extend: str) -> None:
    top, left = drawn().integers(0, 6, (2, N), endpoint=True) - 3

    def outside(place: int, side: int) -> int:
        if extend == "edge":
            return min(max(place, 0), side - 1)
        if extend == "reflect":
            return abs(place) if place < side else 2 * (side - 1) - place
        return place

    x = applied({"type": "crop", "padding": 3, "extend": extend})
    np.testing.assert_array_equal(
        x, filled(lambda n, i, j: pixel(IMAGES[n], outside(i + top[n], HEIGHT), outside(j + left[n], WIDTH)))
    )


@pytest.mark.parametrize("horizontal", [True, False])
@pytest.mark.parametrize("vertical", [True, False])
def test_flip(horizontal: bool, vertical: bool) -> None:
    sideways, upside_down = drawn().random((2, N)) < 0.5
    x = applied({"type": "flip", "horizontal": horizontal, "vertical": vertical})
    for n in range(N):
        image = IMAGES[n]
        image = np.fliplr(image) if horizontal and sideways[n] else image
        image = np.flipud(image) if vertical and upside_down[n] else image
        np.testing.assert_array_equal(x[n], image)


@pytest.mark.parametrize("size", [1, 4, 5, 30])
def test_cutout(size: int) -> None:
    random = drawn()
    a, b = (random.integers(0, side, N) - size // 2 for side in (HEIGHT, WIDTH))
    x = applied({"type": "cutout", "size": size, "fill": 3})

    def covered(n: int, i: int, j: int) -> Array:
        hidden = a[n] <= i < a[n] + size and b[n] <= j < b[n] + size
        return np.full(CHANNELS, 3) if hidden else IMAGES[n, i, j]

    np.testing.assert_array_equal(x, filled(covered))


def bilinear(image: Array, row: float, column: float, fill: float) -> Array:
    i, j = floor(row), floor(column)
    u, v = row - i, column - j
    return (
        (1 - u) * (1 - v) * pixel(image, i, j, fill)
        + (1 - u) * v * pixel(image, i, j + 1, fill)
        + u * (1 - v) * pixel(image, i + 1, j, fill)
        + u * v * pixel(image, i + 1, j + 1, fill)
    )


def through(maps: Array | Sequence[Array | tuple[tuple[float, float], tuple[float, float]]], fill: float) -> Array:
    """The images seen through linear maps about the centre."""
    ci, cj = (HEIGHT - 1) / 2, (WIDTH - 1) / 2

    def value(n: int, i: int, j: int) -> Array:
        (a, b), (c, d) = maps[n]
        return bilinear(IMAGES[n], ci + a * (i - ci) + b * (j - cj), cj + c * (i - ci) + d * (j - cj), fill)

    return filled(value)


def test_any_linear_map() -> None:
    maps = np.random.default_rng(1).normal(0, 1, (N, 2, 2))
    x = resample(IMAGES.astype(np.float64), maps, 7.0)
    np.testing.assert_allclose(x, through(maps, 7.0), atol=1e-9)


@pytest.mark.parametrize("degrees", [10, 90, 180])
def test_rotate(degrees: int) -> None:
    angles = [radians(a) for a in drawn().uniform(-degrees, degrees, N)]
    maps = [((cos(a), -sin(a)), (sin(a), cos(a))) for a in angles]
    x = applied({"type": "rotate", "degrees": degrees, "fill": 2}, IMAGES.astype(np.float64))
    np.testing.assert_allclose(x, through(maps, 2), atol=1e-9)


def test_neighbouring_maps_are_one() -> None:
    """First turned, then enlarged: Z[p] = Y[c + S (p - c)] = X[c + R S (p - c)]."""
    rotate, scale = {"type": "rotate", "degrees": 40}, {"type": "scale", "range": [0.6, 1.5]}
    angles = stream(0, "augment", 0, 0).uniform(-40, 40, N)
    factors = np.exp(stream(0, "augment", 0, 1).uniform(np.log(0.6), np.log(1.5), N))
    maps = [
        np.array([[cos(a), -sin(a)], [sin(a), cos(a)]]) / s for a, s in zip(np.radians(angles), factors, strict=True)
    ]
    x, _ = augment([of(rotate), of(scale)], IMAGES.astype(np.float64), TARGETS, 0, 0)
    np.testing.assert_allclose(x, through(maps, 0), atol=1e-9)


def test_maps_that_fill_differently_stay_apart() -> None:
    rotate, scale = {"type": "rotate", "degrees": 40}, {"type": "scale", "range": [0.5, 0.6], "fill": 9}
    x, _ = augment([of(rotate), of(scale)], IMAGES.copy(), TARGETS, 0, 0)
    turned, _ = augment([of(rotate)], IMAGES.copy(), TARGETS, 0, 0)
    random = stream(0, "augment", 0, 1)
    np.testing.assert_array_equal(x, of(scale).change(turned, random))
    assert (x[:, 0, 0] == 9).all()


def test_a_quarter_turn_moves_whole_pixels() -> None:
    square = np.random.default_rng(2).normal(size=(2, 5, 5, 1))
    quarter = np.array([[[0, -1], [1, 0]], [[0, 1], [-1, 0]]])
    x = resample(square, quarter, 0)
    np.testing.assert_allclose(x[0], np.rot90(square[0], -1), atol=1e-12)
    np.testing.assert_allclose(x[1], np.rot90(square[1]), atol=1e-12)


@pytest.mark.parametrize("ends", [(0.5, 0.9), (0.9, 1.1), (2.0, 2.0)])
def test_scale(ends: tuple[float, float]) -> None:
    factors = np.exp(drawn().uniform(np.log(ends[0]), np.log(ends[1]), N))
    x = applied({"type": "scale", "range": list(ends)}, IMAGES.astype(np.float64))
    np.testing.assert_allclose(x, through([((1 / s, 0), (0, 1 / s)) for s in factors], 0), atol=1e-9)


def test_a_larger_factor_enlarges() -> None:
    """A centred square of side 3 in an image twice as large is of side 6 or so."""
    image = np.zeros((1, 15, 15, 1))
    image[0, 6:9, 6:9] = 1
    assert augment([of({"type": "scale", "range": [2, 2]})], image, TARGETS, 0)[0].sum() == pytest.approx(36, rel=0.1)


def test_brightness() -> None:
    b = drawn().uniform(-25, 25, N)
    x = applied({"type": "brightness", "amount": 25})
    np.testing.assert_allclose(x, filled(lambda n, i, j: IMAGES[n, i, j] + b[n]), atol=1e-4)


def test_contrast() -> None:
    f = drawn().uniform(0.5, 1.5, N)
    mean = [image.astype(np.float64).mean() for image in IMAGES]
    x = applied({"type": "contrast", "range": [0.5, 1.5]})
    np.testing.assert_allclose(x, filled(lambda n, i, j: mean[n] + f[n] * (IMAGES[n, i, j] - mean[n])), atol=1e-3)


def test_noise() -> None:
    big = np.zeros((200, 30, 30, 1), np.float32)
    e = augment([of({"type": "noise", "deviation": 4})], big, TARGETS, 0)[0].ravel()
    assert e.mean() == pytest.approx(0, abs=5 * 4 / len(e) ** 0.5)
    assert e.std() == pytest.approx(4, rel=0.01)
    assert (np.abs(e) < 4).mean() == pytest.approx(0.6827, abs=0.005)
    assert np.abs(np.corrcoef(e[:-1], e[1:])[0, 1]) < 0.02


def test_mixup() -> None:
    random = drawn()
    share, other = random.beta(0.4, 0.4, N), random.permutation(N)
    x, t = augment([of({"type": "mixup", "alpha": 0.4})], IMAGES.astype(np.float64), TARGETS.astype(float), 0, 0)
    for n in range(N):
        np.testing.assert_allclose(x[n], share[n] * IMAGES[n] + (1 - share[n]) * IMAGES[other[n]], atol=1e-9)
        np.testing.assert_allclose(t[n], share[n] * TARGETS[n] + (1 - share[n]) * TARGETS[other[n]], atol=1e-12)
    np.testing.assert_allclose(t.sum(axis=1), 1)
