"""Points in the plane and in space, waves and sums: tables of numbers with a class, a label or a value."""

from string import ascii_lowercase
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from nnctl.data.generators.base import Generator
from nnctl.engine.parameters import Array
from nnctl.spec import Listed


class Points(Generator):
    """A table of points: columns x1, x2, ... and what is said of them."""

    def _classes(self, count: int) -> Array:
        return np.arange(self.size) % count

    def _points(self, x: Array, random: np.random.Generator) -> dict[str, Array]:
        """Columns x1, x2, ... of points (size, features), with noise added."""
        return _features(x + self.noise * random.standard_normal(x.shape))


class Moons(Points):
    """Two half circles that reach into each other: `upper` and `lower`.

        upper: x = (cos a, sin a) + n        lower: x = (1 - cos a, 1/2 - sin a) + n        a ~ U(0, pi)

    Columns x1, x2, label. As scikit-learn's `make_moons`, whose angles are evenly spaced instead.

    ```yaml
    {type: moons, size: 300, noise: 0.15, seed: 1}
    ```
    """

    type: Literal["moons"] = "moons"

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        lower = self._classes(2)
        a = random.uniform(0, np.pi, self.size)
        x = np.stack([np.cos(a), np.sin(a)], axis=1)
        x = np.where(lower[:, None], [1.0, 0.5] - x, x)
        return self._points(x, random) | {"label": np.array(["upper", "lower"])[lower]}


class Circles(Points):
    """Two circles, one within the other: `outer` and `inner`.

        x = r (cos a, sin a) + n        r = 1 outside, `factor` inside        a ~ U(0, 2 pi)

    Columns x1, x2, label. As scikit-learn's `make_circles`, whose angles are evenly spaced instead.

    ```yaml
    {type: circles, size: 300, noise: 0.05, factor: 0.5}
    ```
    """

    type: Literal["circles"] = "circles"
    factor: float = Field(0.5, gt=0, lt=1, description="Radius of the inner circle; that of the outer one is 1.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        inner = self._classes(2)
        a = random.uniform(0, 2 * np.pi, self.size)
        x = np.where(inner, self.factor, 1.0)[:, None] * np.stack([np.cos(a), np.sin(a)], axis=1)
        return self._points(x, random) | {"label": np.array(["outer", "inner"])[inner]}


class Xor(Points):
    """The corners of the unit square: `odd` where one coordinate is 1, `even` where none or both are.

        x = (p, q) + n        label = odd if p xor q        (p, q) = (0, 0), (0, 1), (1, 0), (1, 1), (0, 0), ...

    Four rows without noise are the textbook's table, which no single perceptron can learn. Columns x1,
    x2, label. Source: Minsky and Papert, "Perceptrons" (1969).

    ```yaml
    {type: xor, size: 4, noise: 0.0}
    ```
    """

    type: Literal["xor"] = "xor"

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        p, q = divmod(self._classes(4), 2)
        return self._points(np.stack([p, q], axis=1), random) | {"label": np.array(["even", "odd"])[p ^ q]}


class Spiral(Points):
    """Spiral arms around a common centre: classes `a`, `b`, ...

        x = r (cos f, sin f) + n        f = 2 pi (turns r + c / classes) for class c        r ~ U(0, 1)

    Columns x1, x2, label. Source: the two-spirals problem, Lang and Witbrock, "Learning to tell two
    spirals apart", Proceedings of the 1988 Connectionist Models Summer School.

    ```yaml
    {type: spiral, size: 600, classes: 3, noise: 0.02}
    ```
    """

    type: Literal["spiral"] = "spiral"
    noise: float = Field(0.02, ge=0, description="Standard deviation of the noise; 0 for none.")
    classes: int = Field(2, ge=2, le=26, description="Number of arms.")
    turns: float = Field(1.0, gt=0, description="How often an arm goes round.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        c = self._classes(self.classes)
        r = random.uniform(0, 1, self.size)
        f = 2 * np.pi * (self.turns * r + c / self.classes)
        return self._points(np.stack([r * np.cos(f), r * np.sin(f)], axis=1), random) | {"label": _letters(c)}


class Blobs(Points):
    """Round clouds of points: classes `a`, `b`, ..., one around each centre.

        x = m_c + n for class c        m_c ~ U(-box, box)^features

    With `proportions` the classes have those shares of the rows (the largest remainders are rounded up)
    in random order. Columns x1 to x<features>, label. As scikit-learn's `make_blobs`.

    ```yaml
    {type: blobs, size: 1000, centres: 2, features: 4, box: 2.0, proportions: [0.95, 0.05]}
    ```
    """

    type: Literal["blobs"] = "blobs"
    noise: float = Field(1.0, ge=0, description="Standard deviation of the points around their centre.")
    centres: int = Field(3, ge=1, le=26, description="Number of classes.")
    features: int = Field(2, ge=1, description="Number of features.")
    box: float = Field(4.0, gt=0, description="The centres lie between -box and box in every feature.")
    proportions: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Listed] | None = Field(
        None, description="Share of each class, in any unit; null: equal."
    )

    @model_validator(mode="after")
    def _one_proportion_a_centre(self) -> "Blobs":
        if self.proportions is not None and (len(self.proportions) != self.centres or sum(self.proportions) <= 0):
            raise ValueError(
                f"proportions needs one number for each of the {self.centres} centres, not all 0; "
                f"found {list(self.proportions)}"
            )
        return self

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        centres = random.uniform(-self.box, self.box, (self.centres, self.features))
        c = self._classes(self.centres)
        if self.proportions is not None:
            c = random.permutation(np.repeat(np.arange(self.centres), _apportion(self.size, self.proportions)))
        return self._points(centres[c], random) | {"label": _letters(c)}


class Linear(Points):
    """A weighted sum of the features: linear regression with a known answer.

        y = w . x + b + n        x ~ U(-1, 1) in every feature

    Columns x1 to x<number of weights>, y.

    ```yaml
    {type: linear, size: 100, weights: [2.0, -1.0], bias: 0.5, noise: 0.1}
    ```
    """

    type: Literal["linear"] = "linear"
    weights: Annotated[tuple[float, ...], Listed] = Field(
        (2.0, -1.0), min_length=1, description="The weight w of each feature."
    )
    bias: float = Field(0.5, description="The intercept b.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        x = random.uniform(-1, 1, (self.size, len(self.weights)))
        # Rounded first, so that y is the sum of the numbers in the table; summed column by column, not by a
        # BLAS product, whose last bit differs from machine to machine.
        x = np.round(x, 6)
        y = (x * np.asarray(self.weights)).sum(axis=1) + self.bias
        return _features(x) | {"y": y + self.noise * random.standard_normal(self.size)}


class Sine(Points):
    """A sine wave: regression that no straight line can do.

        y = sin(2 pi frequency x) + n        x ~ U(-1, 1)

    Columns x, y.

    ```yaml
    {type: sine, size: 200, frequency: 1.0, noise: 0.1}
    ```
    """

    type: Literal["sine"] = "sine"
    frequency: float = Field(1.0, gt=0, description="Waves per unit of x.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        x = random.uniform(-1, 1, self.size)
        y = np.sin(2 * np.pi * self.frequency * x)
        return {"x": x, "y": y + self.noise * random.standard_normal(self.size)}


class Multilabel(Points):
    """Several labels an example, each on one side of its own plane through the features.

        label j = 1 where w_j . x + n > j / labels        x ~ N(0, 1) in every feature

    The first of the `labels` (j = 0) is there in half of the rows, later ones are rarer. w_j are unit
    vectors, each drawn at random and leaning on the one before, so that the labels go together: w_j ~
    v_j + w_(j-1) with v_j a random direction. Columns x1 to x<features>, label1 to label<labels>.

    ```yaml
    {type: multilabel, size: 600, features: 6, labels: 3, noise: 0.1}
    ```
    """

    type: Literal["multilabel"] = "multilabel"
    features: int = Field(6, ge=2, description="Number of features.")
    labels: int = Field(3, ge=1, description="Number of labels.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        w = np.zeros((self.labels, self.features))
        previous = np.zeros(self.features)
        for j in range(self.labels):
            previous = w[j] = _unit(_unit(random.standard_normal(self.features)) + previous)
        x = random.standard_normal((self.size, self.features))
        z = (x[:, None, :] * w).sum(axis=2) + self.noise * random.standard_normal((self.size, self.labels))
        present = (z > np.arange(self.labels) / self.labels).astype(np.int64)
        return _features(x) | {f"label{j + 1}": present[:, j] for j in range(self.labels)}


def _features(x: Array) -> dict[str, Array]:
    return {f"x{j + 1}": x[:, j] for j in range(x.shape[1])}


def _letters(classes: Array) -> Array:
    return np.array(list(ascii_lowercase))[classes]


def _unit(v: Array) -> Array:
    length: Array = np.sqrt((v * v).sum())
    return v / length


def _apportion(size: int, proportions: tuple[float, ...]) -> Array:
    """Whole numbers in the given proportions that add up to `size`, by largest remainders."""
    exact = size * np.asarray(proportions) / sum(proportions)
    counts = np.floor(exact).astype(np.int64)
    largest = np.argsort(counts - exact, kind="stable")[: size - counts.sum()]
    counts[largest] += 1
    return counts
