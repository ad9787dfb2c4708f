"""The gradient check: analytic gradients against central differences, in float64.

For one entry v of a tensor, and for a whole tensor along a random unit direction d:

    dJ/dv   ~ (J(v + eps) - J(v - eps)) / (2 eps)
    <g, d>  ~ (J(theta + eps d) - J(theta - eps d)) / (2 eps)

The first tells where a formula is wrong, the second looks at every entry at once, which is how tensors
too large to go through are covered. The error of the quotient is O(eps^2) from cutting off Taylor's
series plus O(u |J| / eps) from rounding (u the unit roundoff), so the relative error

    |analytic - numeric| / max(|analytic|, |numeric|, floor)

has a floor below which the quotient itself is noise.

Where the two points lie on different sides of a kink (a ReLU switches, a maximum changes hands), the
quotient is no derivative. Layers tell which smooth piece each value lies on; when the pieces differ,
eps is made smaller, and if that does not help the entry is counted as a kink, never dropped unseen.

Sources: Bengio, "Practical recommendations for gradient-based training" (2012), section 4.2; Nocedal
and Wright, Numerical Optimization (2006), section 8.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nnctl.engine.parameters import Array

#: Rounding errors of J are up to this many units of roundoff.
ROUNDINGS = 50
#: This share of the sampled entries are those with the largest gradient; the rest is drawn at random.
LARGEST_SHARE = 0.5
#: Steps tried, as parts of epsilon, until no kink lies between the two points.
SHRINK = (1.0, 0.1, 0.01)
DIRECTIONS = 2


@dataclass(frozen=True)
class Function:
    """J as the check needs it: its value at the current tensors, and its smooth piece there."""

    value: Callable[[], float]
    pieces: Callable[[], Sequence[Array]]


@dataclass(frozen=True)
class TensorCheck:
    """What the check found for one tensor.

    `error` is the largest relative error of the entries compared, at `index`, where the analytic and
    numeric derivatives are given. `projection_error` is that of the random directions; None where
    every direction crossed a kink.
    """

    name: str
    size: int
    checked: int
    kinks: int
    error: float
    index: tuple[int, ...] | None
    analytic: float | None
    numeric: float | None
    projection_error: float | None

    @property
    def worst(self) -> float:
        """The larger of the two errors."""
        return max(self.error, self.projection_error or 0.0)


def check_tensor(
    name: str,
    tensor: Array,
    analytic: Array,
    function: Function,
    random: np.random.Generator,
    samples: int | None,
    epsilon: float,
    tolerance: float,
) -> TensorCheck:
    """Compare the analytic gradient of one tensor with central differences.

    Args:
        name: what the tensor is called.
        tensor: the float64 values J depends on; changed during the check and put back.
        analytic: dJ/dtensor, of the same shape.
        function: J.
        random: chooses entries and directions.
        samples: entries to compare, or None for all.
        epsilon: the step.
        tolerance: what the caller takes as passed; only sets the floor.
    """
    flat, gradient = tensor.reshape(-1), analytic.reshape(-1).copy()
    if flat.size and not np.shares_memory(flat, tensor):
        raise ValueError(f"{name}: the tensor must be contiguous, to be changed in place")
    base = abs(function.value())
    worst, at, kinks = (-1.0, 0.0, 0.0), -1, 0
    chosen = _choose(gradient, samples, random)
    for i in chosen:
        quotient = _central_difference(flat[i : i + 1], np.ones(1), function, epsilon)
        if quotient is None:
            kinks += 1
            continue
        numeric, step = quotient
        error = _relative_error(gradient[i], numeric, base, step, tolerance)
        if not error <= worst[0]:
            worst, at = (error, float(gradient[i]), numeric), int(i)
    return TensorCheck(
        name=name,
        size=flat.size,
        checked=len(chosen) - kinks,
        kinks=kinks,
        error=max(worst[0], 0.0) if not np.isnan(worst[0]) else float("inf"),
        index=None if at < 0 else tuple(int(k) for k in np.unravel_index(at, tensor.shape)),
        analytic=None if at < 0 else worst[1],
        numeric=None if at < 0 else worst[2],
        projection_error=_project(flat, gradient, function, random, base, epsilon, tolerance),
    )


def _choose(gradient: Array, samples: int | None, random: np.random.Generator) -> Array:
    """Which entries to compare: all, or the largest ones and a random choice of the rest."""
    if samples is None or samples >= gradient.size:
        return np.arange(gradient.size)
    order = np.argsort(-np.abs(gradient), kind="stable")
    largest = order[: int(np.ceil(samples * LARGEST_SHARE))]
    rest = random.choice(order[len(largest) :], samples - len(largest), replace=False)
    return np.concatenate([largest, rest])


def _central_difference(
    view: Array, direction: Array, function: Function, epsilon: float
) -> tuple[float, float] | None:
    """The quotient and the step it took, or None where every step crosses a kink."""
    origin = view.copy()
    try:
        for shrink in SHRINK:
            step = epsilon * shrink
            np.add(origin, step * direction, out=view)
            above, pieces_above = function.value(), function.pieces()
            np.subtract(origin, step * direction, out=view)
            below, pieces_below = function.value(), function.pieces()
            if all(np.array_equal(a, b) for a, b in zip(pieces_above, pieces_below, strict=True)):
                return (above - below) / (2 * step), step
        return None
    finally:
        view[...] = origin


def _relative_error(analytic: float, numeric: float, base: float, step: float, tolerance: float) -> float:
    noise = ROUNDINGS * np.finfo(np.float64).eps * max(base, 1e-3) / step
    return float(abs(analytic - numeric) / max(abs(analytic), abs(numeric), noise / tolerance))


def _project(
    flat: Array, gradient: Array, function: Function, random: np.random.Generator, base: float, epsilon: float, tolerance: float
) -> float | None:
    errors = []
    for _ in range(DIRECTIONS if flat.size else 0):
        direction = random.standard_normal(flat.size)
        direction /= np.linalg.norm(direction)
        quotient = _central_difference(flat, direction, function, epsilon)
        if quotient is not None:
            numeric, step = quotient
            errors.append(_relative_error(float(gradient @ direction), numeric, base, step, tolerance))
    return max(errors, default=None)
