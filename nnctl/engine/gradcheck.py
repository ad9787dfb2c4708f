"""The gradient check: analytic gradients against central differences, in float64.

For one entry v of a tensor, and for a whole tensor along a random unit direction d:

    dJ/dv   ~ (J(v + eps) - J(v - eps)) / (2 eps)                      =: D(eps)
    <g, d>  ~ (J(theta + eps d) - J(theta - eps d)) / (2 eps)

The first tells where a formula is wrong; the second looks at every entry at once, which is how tensors
too large to go through are covered. D is taken at eps and at eps / 2, which says how good it is and, by
Richardson's extrapolation, makes the error of cutting off Taylor's series O(eps^4):

    numeric     = D(eps/2) + (D(eps/2) - D(eps)) / 3
    uncertainty = |D(eps/2) - D(eps)| + c noise / eps

where noise is how far J moves when only the last bits of its arguments change (measured, not guessed). Where
that leaves doubt, larger steps (rounding hides a small derivative) and smaller ones (strong curvature, a
kink close by) are tried, and the value with the least uncertainty is taken. The relative error

    |analytic - numeric| / max(|analytic|, |numeric|, uncertainty / tolerance)

is then over the tolerance only where the two differ by more than the tolerance and by more than the
difference quotient can be wrong. So a quotient that says nothing agrees with any gradient: what a tensor passes
is worth something where a random direction is *resolved*, that is, where its derivative is several times as large as
its uncertainty.

Where a point lies on the other side of a kink (a ReLU switches, a maximum changes hands), the quotient is
no derivative. Layers tell which smooth piece each value lies on; where that changes at every step tried,
the entry is counted as a kink, never dropped unseen.

Sources: Bengio, "Practical recommendations for gradient-based training of deep architectures" (2012),
section 4.2; Nocedal and Wright, Numerical Optimization (2006), section 8.1; Richardson, "The deferred
approach to the limit", Philosophical Transactions A 226 (1927).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from nnctl.engine.parameters import Array, Shape

#: Steps tried, as parts of epsilon, until the quotient is certain enough.
SCALES = (1.0, 10.0, 100.0, 0.1, 0.01)
#: Certain enough: an uncertainty below this share of the tolerance.
CLEAR = 0.1
#: c above. D(eps/2) divides the rounding errors of two values by eps, extrapolation adds its own; the rest
#: is room for the worst of thousands of entries against the few draws that measured the noise.
NOISE_MARGIN = 20.0
NOISE_DRAWS = 8
#: This share of the sampled entries are those with the largest gradient; the rest is drawn at random.
LARGEST_SHARE = 0.5
DIRECTIONS = 2
#: A direction is resolved where its uncertainty is below this share of its derivative.
RESOLVED = 0.1
ROUNDOFF = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Settings:
    """How closely to look: entries a tensor (None for all), the step, the largest relative error allowed."""

    samples: int | None = 20
    epsilon: float = 1e-5
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Point:
    """J at one place, and the smooth piece that each value inside it lies on there."""

    value: float
    pieces: Sequence[Array]


@dataclass(frozen=True)
class Slope:
    """A numeric derivative, and by how much it may be wrong."""

    value: float
    uncertainty: float


@dataclass(frozen=True)
class TensorCheck:
    """What the check found for one tensor.

    `error` is the largest relative error of the `checked` entries, at `index`, where the analytic and the
    numeric derivative are given. `kinks` entries could not be compared. `unresolved` entries have a gradient
    that is not zero and yet smaller than what a difference quotient can tell. `zero` says that the analytic
    gradient is 0 everywhere. `projection_error` is that of the random directions; None where every
    direction crossed a kink. `resolved` says that the derivative along one of them could be told from 0.
    """

    name: str
    shape: Shape
    checked: int
    kinks: int
    unresolved: int
    zero: bool
    error: float
    index: tuple[int, ...] | None
    analytic: float | None
    numeric: float | None
    projection_error: float | None
    resolved: bool

    @property
    def compared(self) -> bool:
        """Whether anything could be compared; not where everything lies on a kink."""
        return self.checked > 0 or self.projection_error is not None

    @property
    def worst(self) -> float:
        """The larger of the two errors."""
        return max(self.error, self.projection_error or 0.0)


class GradientCheck:
    """Compares gradients of one J, a function of float64 tensors that are changed in place and put back."""

    def __init__(
        self,
        function: Callable[[], Point],
        tensors: Iterable[Array],
        random: np.random.Generator,
        settings: Settings,
    ) -> None:
        """Evaluate J where it stands.

        Args:
            function: J at the tensors' present values.
            tensors: what J depends on, to measure its rounding noise.
            random: chooses entries and directions.
            settings: how closely to look.
        """
        self.function, self.random, self.settings = function, random, settings
        self.origin = function()
        self.noise = _rounding_noise(function, self.origin.value, list(tensors), random)

    def tensor(self, name: str, tensor: Array, analytic: Array) -> TensorCheck:
        """Check one tensor, entry by entry and along random directions."""
        return self._check(name, tensor, analytic, _choose(analytic.reshape(-1), self.settings.samples, self.random))

    def directions(self, name: str, tensor: Array, analytic: Array) -> TensorCheck:
        """Check one tensor along random directions only."""
        return self._check(name, tensor, analytic, np.arange(0))

    def _check(self, name: str, tensor: Array, analytic: Array, entries: Array) -> TensorCheck:
        flat, gradient = tensor.reshape(-1), analytic.reshape(-1)
        if flat.size and not np.shares_memory(flat, tensor):
            raise ValueError(f"{name}: the tensor must be contiguous, to be changed in place")
        slopes = {int(i): self._slope(flat[i : i + 1], np.ones(1), float(gradient[i])) for i in entries}
        smooth = {i: slope for i, slope in slopes.items() if slope is not None}
        errors = {i: self._error(float(gradient[i]), slope) for i, slope in smooth.items()}
        at = max(errors, key=errors.__getitem__, default=None)
        projections = list(self._projections(flat, gradient))
        return TensorCheck(
            name=name,
            shape=tensor.shape,
            checked=len(smooth),
            kinks=len(slopes) - len(smooth),
            unresolved=sum(_hidden(float(gradient[i]), slope) for i, slope in smooth.items()),
            zero=not gradient.any(),
            error=0.0 if at is None else errors[at],
            index=None if at is None else tuple(int(k) for k in np.unravel_index(at, tensor.shape)),
            analytic=None if at is None else float(gradient[at]),
            numeric=None if at is None else smooth[at].value,
            projection_error=max((self._error(analytic, slope) for analytic, slope in projections), default=None),
            resolved=any(slope.uncertainty < RESOLVED * abs(slope.value) for _, slope in projections),
        )

    def _projections(self, flat: Array, gradient: Array) -> Iterator[tuple[float, Slope]]:
        """The analytic and the numeric derivative along each random direction that crosses no kink."""
        for _ in range(DIRECTIONS if flat.size else 0):
            direction = self.random.standard_normal(flat.size)
            direction /= np.linalg.norm(direction)
            analytic = float(gradient @ direction)
            slope = self._slope(flat, direction, analytic)
            if slope is not None:
                yield analytic, slope

    def _slope(self, view: Array, direction: Array, analytic: float) -> Slope | None:
        """The derivative along a direction; None where every step crosses a kink."""
        best: Slope | None = None
        for scale in SCALES:
            step = scale * self.settings.epsilon
            whole = self._quotient(view, direction, step)
            half = None if whole is None else self._quotient(view, direction, step / 2)
            if whole is None or half is None:
                continue
            uncertainty = abs(half - whole) + NOISE_MARGIN * self.noise / step
            if best is None or not uncertainty >= best.uncertainty:
                best = Slope(half + (half - whole) / 3, uncertainty)
            clear = best.uncertainty <= CLEAR * self.settings.tolerance * abs(best.value)
            if clear or whole == half == analytic == 0:
                break
        return best

    def _quotient(self, view: Array, direction: Array, step: float) -> float | None:
        """D(step), or None where a point leaves the piece J's gradient was taken on."""
        held = view.copy()
        try:
            np.add(held, step * direction, out=view)
            above = self.function()
            np.subtract(held, step * direction, out=view)
            below = self.function()
        finally:
            view[...] = held
        same = all(
            np.array_equal(here, a) and np.array_equal(here, b)
            for here, a, b in zip(self.origin.pieces, above.pieces, below.pieces, strict=True)
        )
        return (above.value - below.value) / (2 * step) if same else None

    def _error(self, analytic: float, slope: Slope) -> float:
        difference = abs(analytic - slope.value)
        if not isfinite(difference):
            return inf
        size = max(abs(analytic), abs(slope.value), slope.uncertainty / self.settings.tolerance)
        return difference / size if difference else 0.0


def _hidden(analytic: float, slope: Slope) -> bool:
    return analytic != 0 and max(abs(analytic), abs(slope.value)) <= slope.uncertainty


def _choose(gradient: Array, samples: int | None, random: np.random.Generator) -> Array:
    """Which entries to compare: all, or the largest ones and a random choice of the rest."""
    if samples is None or samples >= gradient.size:
        return np.arange(gradient.size)
    order = np.argsort(-np.abs(gradient), kind="stable")
    largest = order[: int(np.ceil(samples * LARGEST_SHARE))]
    rest = random.choice(order[len(largest) :], samples - len(largest), replace=False)
    return np.concatenate([largest, rest])


def _rounding_noise(
    function: Callable[[], Point], origin: float, tensors: Sequence[Array], random: np.random.Generator
) -> float:
    """How far J moves when its arguments move by a few units in their last place.

    Entries that are 0, where kinks like to be, stay 0.
    """
    held = [tensor.copy() for tensor in tensors]
    moved = [0.0]
    try:
        for _ in range(NOISE_DRAWS):
            for tensor, value in zip(tensors, held, strict=True):
                np.multiply(value, 1 + ROUNDOFF * random.integers(-4, 5, value.shape), out=tensor)
            moved.append(abs(function().value - origin))
    finally:
        for tensor, value in zip(tensors, held, strict=True):
            tensor[...] = value
    return max(*moved, ROUNDOFF * abs(origin))
