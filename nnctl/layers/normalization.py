"""Normalisation: over the batch, or over units or groups of units of one example."""

from math import prod
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.layer import Gives, Layer, RateScale
from nnctl.engine.parameters import Array, Declarations, Parameter, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import Constant, Zeros

ONES = Constant(value=1.0)


#: Examples that are added up in the array's own precision.
BLOCK = 32


class Normalization(Layer):
    """What batch and layer normalisation share: the gain, the shift, and the centred values.

    With the mean m and the (biased) variance v of a group of N values, and x^ the normalised value:

        x^ = (x - m) / sqrt(v + epsilon)        y = gain * x^ + shift

    Backward, with d = dJ/dy * gain and means over the same group:

        dJ/dx = (d - mean(d) - x^ mean(d * x^)) / sqrt(v + epsilon)
        dJ/dgain = sum dJ/dy * x^        dJ/dshift = sum dJ/dy
    """

    gives: ClassVar[Gives] = "changed"
    epsilon: float = Field(1e-5, gt=0, description="Added to the variance, against division by zero.")
    affine: bool = Field(True, description="Whether a gain and a shift a unit are learned.")
    learning_rate_scale: RateScale = 1.0

    def parameters(self, shape: Shape) -> Declarations:
        if not self.affine:
            return {}
        units, scale = (shape[-1],), self.learning_rate_scale
        return {
            "gain": Parameter(units, ONES, role="gain", decays=False, learning_rate_scale=scale),
            "shift": Parameter(units, Zeros(), role="bias", decays=False, learning_rate_scale=scale),
        }

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def _scale_and_shift(self, p: Views, xhat: Array, slot: Slot) -> Array:
        slot["xhat"] = xhat
        if not self.affine:
            return xhat
        y = slot.buffer("y", xhat.shape)
        np.multiply(xhat, _along(p["gain"], xhat), out=y)
        if "shift" in p:
            y += _along(p["shift"], xhat)
        return y

    def _through_scale_and_shift(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        """Fill dJ/dgain and dJ/dshift; return d = dJ/dxhat in a buffer that may be overwritten."""
        d = slot.buffer("d", dy.shape)
        if not self.affine:
            np.copyto(d, dy)
            return d
        np.multiply(dy, slot["xhat"], out=d)
        g["gain"][...] = _sums(d)
        if "shift" in p:
            g["shift"][...] = _sums(dy)
        return np.multiply(dy, _along(p["gain"], dy), out=d)


class BatchNormalization(Normalization):
    """Normalise each unit over the examples of the batch.

    The group of `Normalization` is a unit's values in all examples (and positions) of the batch.
    In evaluation the running mean and variance take the place of m and v:

        running = (1 - momentum) running + momentum (statistic of the batch)

    where the running variance takes the unbiased estimate (division by N - 1), as PyTorch does; the
    paper does so too, but Keras keeps the biased one and calls 1 - momentum `momentum`. Because every
    output depends on the whole batch, a batch is one shard. Shapes: X, Y (batch, ..., units).

    Source: Ioffe and Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2.

    ```yaml
    {type: batch_normalization, momentum: 0.1}
    ```
    """

    type: Literal["batch_normalization"] = "batch_normalization"
    in_evaluation: ClassVar[str | None] = "with its running statistics, as in evaluation"
    takes_sequences: ClassVar[bool] = True
    momentum: float = Field(0.1, gt=0, le=1, description="Weight of the newest batch in the running statistics.")

    @property
    def couples_examples(self) -> bool:
        return True

    def needs_several(self, shape: Shape) -> bool:
        return prod(shape[:-1]) == 1  # images have a value of each unit at every position

    def parameters(self, shape: Shape) -> Declarations:
        units = (shape[-1],)
        return {
            **super().parameters(shape),
            "running_mean": Parameter(units, Zeros(), role="statistic", decays=False, trainable=False),
            "running_variance": Parameter(units, ONES, role="statistic", decays=False, trainable=False),
        }

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        xhat = slot.buffer("xhat", x.shape)
        if slot.training:
            mean = _means(x)
            np.subtract(x, _along(mean, x), out=xhat)
            variance = _means(np.square(xhat, out=slot.buffer("square", x.shape)))
            slot["mean"], slot["variance"], slot["count"] = mean, variance, x.size // x.shape[-1]
        else:
            np.subtract(x, _along(p["running_mean"], x), out=xhat)
            variance = p["running_variance"]
        slot["inverse"] = _along(1 / np.sqrt(variance + x.dtype.type(self.epsilon)), x)
        xhat *= slot["inverse"]
        return self._scale_and_shift(p, xhat, slot)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        d, xhat = self._through_scale_and_shift(p, g, dy, slot), slot["xhat"]
        if slot.training:
            product = np.multiply(d, xhat, out=slot.buffer("square", d.shape))
            slope = _means(product)
            d -= _along(_means(d), d)
            d -= np.multiply(xhat, _along(slope, xhat), out=product)
        d *= slot["inverse"]
        return d

    def track(self, p: Views, slot: Slot) -> None:
        if slot["count"] < 2:
            return  # the last batch of an epoch may be a single example, whose variance says nothing
        unbiased = slot["variance"] * (slot["count"] / (slot["count"] - 1))
        for running, batch in ((p["running_mean"], slot["mean"]), (p["running_variance"], unbiased)):
            running += self.momentum * (batch - running)


def _sums(x: Array) -> Array:
    """The sum of each unit over all examples and positions, in float64.

    NumPy adds up leading axes one after another, and float32 loses three digits in 100,000 additions: so examples
    are added in blocks, and the blocks in float64. Positions come last, as long rows are added several times as
    quickly as many short ones.
    """
    rows = x.reshape(len(x), prod(x.shape[1:]))  # (batch, positions units)
    whole = len(rows) // BLOCK * BLOCK
    blocks = rows[:whole].reshape(-1, BLOCK, rows.shape[1]).sum(axis=1)
    total = blocks.sum(axis=0, dtype=np.float64) + rows[whole:].sum(axis=0, dtype=np.float64)
    return np.asarray(total.reshape(-1, x.shape[-1]).sum(axis=0))


def _means(x: Array) -> Array:
    """The mean of each unit over all examples and positions; 0 of none, as where every sequence is empty."""
    return np.asarray(_sums(x) * (x.shape[-1] / max(1, x.size)), x.dtype)


def _along(v: Array, x: Array) -> Array:
    """A value a unit, repeated along a row of positions of x: with few units, several times as quick to apply."""
    return np.tile(v, (x.shape[-2], 1)) if x.ndim > 2 else v


class LayerNormalization(Normalization):
    """Normalise the units of each example (and position) by their own mean and variance.

    The group of `Normalization` is the last axis of one example, so training and evaluation are the
    same and examples stay independent. Shapes: X, Y (batch, ..., units).

    Source: Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450 (2016).

    ```yaml
    {type: layer_normalization}
    ```
    """

    type: Literal["layer_normalization"] = "layer_normalization"
    takes_sequences: ClassVar[bool] = True

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        xhat = slot.buffer("xhat", x.shape)
        np.subtract(x, x.mean(axis=-1, keepdims=True), out=xhat)
        variance = np.square(xhat).mean(axis=-1, keepdims=True)
        slot["inverse"] = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        xhat *= slot["inverse"]
        return self._scale_and_shift(p, xhat, slot)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        d, xhat = self._through_scale_and_shift(p, g, dy, slot), slot["xhat"]
        slope = (d * xhat).mean(axis=-1, keepdims=True)
        d -= d.mean(axis=-1, keepdims=True)
        d -= xhat * slope
        d *= slot["inverse"]
        return d


class RmsNormalization(Normalization):
    """Divide the units of each example (and position) by their root mean square.

        x^ = x / sqrt(mean(x^2) + epsilon)        y = gain * x^
        dJ/dx = (d - x^ mean(d * x^)) / sqrt(mean(x^2) + epsilon),  d = dJ/dy * gain

    Layer normalisation without the mean and the shift: cheaper, and as good in many networks. The paper has no
    epsilon; PyTorch's is left out or given, T5 has 1e-6. Shapes: X, Y (batch, ..., units).

    Source: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019, equation 4.

    ```yaml
    {type: rms_normalization, epsilon: 1.0e-6}
    ```
    """

    type: Literal["rms_normalization"] = "rms_normalization"
    takes_sequences: ClassVar[bool] = True

    def parameters(self, shape: Shape) -> Declarations:
        return {name: parameter for name, parameter in super().parameters(shape).items() if name == "gain"}

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        square = np.square(x, out=slot.buffer("xhat", x.shape)).mean(axis=-1, keepdims=True)
        slot["inverse"] = 1 / np.sqrt(square + x.dtype.type(self.epsilon))
        xhat = np.multiply(x, slot["inverse"], out=slot.buffer("xhat", x.shape))
        return self._scale_and_shift(p, xhat, slot)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        d, xhat = self._through_scale_and_shift(p, g, dy, slot), slot["xhat"]
        d -= xhat * (d * xhat).mean(axis=-1, keepdims=True)
        d *= slot["inverse"]
        return d


class ByGroup(Normalization):
    """Both passes of normalisation over all positions of some channels of an example."""

    def groups_of(self, channels: int) -> int:
        """The number of groups of channels."""
        raise NotImplementedError

    def _by_group(self, x: Array) -> Array:
        """(batch, positions, groups, channels of a group); a view of what is contiguous."""
        groups = self.groups_of(x.shape[-1])
        return x.reshape(len(x), -1, groups, x.shape[-1] // groups)

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        normalized = slot.buffer("xhat", x.shape)
        xhat, groups = self._by_group(normalized), self._by_group(x)
        np.subtract(groups, groups.mean(axis=(1, 3), keepdims=True), out=xhat)
        variance = np.square(xhat).mean(axis=(1, 3), keepdims=True)
        slot["inverse"] = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        xhat *= slot["inverse"]
        return self._scale_and_shift(p, normalized, slot)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        dx = self._through_scale_and_shift(p, g, dy, slot)
        d, xhat = self._by_group(dx), self._by_group(slot["xhat"])
        slope = (d * xhat).mean(axis=(1, 3), keepdims=True)
        d -= d.mean(axis=(1, 3), keepdims=True)
        d -= xhat * slope
        d *= slot["inverse"]
        return dx


class GroupNormalization(ByGroup):
    """Normalise groups of channels of each example by their own mean and variance.

    The group of `Normalization` is all positions of channels / groups neighbouring channels of one example,
    so training and evaluation are the same and examples stay independent. One group is layer normalisation
    over an image; as many groups as channels is instance normalisation. Shapes: X, Y (batch, ..., channels).

    Source: Wu and He, "Group normalization", ECCV 2018.

    ```yaml
    {type: group_normalization, groups: 8}
    ```
    """

    type: Literal["group_normalization"] = "group_normalization"
    principal: ClassVar[str | None] = "groups"
    groups: int = Field(8, gt=0, description="Number of groups; must divide the number of channels.")

    def output_shape(self, shape: Shape) -> Shape:
        if shape[-1] % self.groups:
            raise ConfigError(f"finds {shape[-1]} channels, which {self.groups} groups do not divide evenly", "groups")
        return shape

    def groups_of(self, channels: int) -> int:
        return self.groups


class InstanceNormalization(ByGroup):
    """Normalise each channel of each example by its own mean and variance.

    The group of `Normalization` is all positions of one channel of one example: what is bright or of strong
    contrast in one picture is not in another. It is group normalisation with as many groups as channels. PyTorch
    learns no gain and shift by default: `affine: false`. Shapes: X, Y (batch, ..., channels).

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast
    stylization", arXiv:1607.08022 (2016).

    ```yaml
    {type: instance_normalization}
    ```
    """

    type: Literal["instance_normalization"] = "instance_normalization"

    def output_shape(self, shape: Shape) -> Shape:
        if prod(shape[:-1]) == 1:
            raise ConfigError(f"finds {shape}, where each channel has one value, which is its own mean; use another")
        return shape

    def groups_of(self, channels: int) -> int:
        return channels
