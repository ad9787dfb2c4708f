"""Random changes of training batches; a new one is its class and one line here."""

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from typing import Annotated

import numpy as np

from nnctl.data.augmentation.affine import Linear, Rotate, Scale, resample
from nnctl.data.augmentation.base import Augmentation
from nnctl.data.augmentation.mixup import Mixup
from nnctl.data.augmentation.placing import Crop, Cutout, Flip, Shift
from nnctl.data.augmentation.values import Brightness, Contrast, Noise
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.randomness import stream
from nnctl.errors import ConfigError
from nnctl.spec import type_short_form

AnyAugmentation = Annotated[
    Shift | Crop | Flip | Rotate | Scale | Brightness | Contrast | Noise | Cutout | Mixup,
    type_short_form,
]

__all__ = ["AnyAugmentation", "Augmentation", "augment", "check", "check_loss"]


def augment(augmentations: Sequence[Augmentation], x: Array, t: Array, seed: int, *address: int) -> tuple[Array, Array]:
    """A batch x (n, ...), which is overwritten, and its targets t, changed by one augmentation after another.

    `address` names the step: the same one gives the same batch, whatever was drawn before. Linear maps
    that follow each other are multiplied and interpolate once, which blurs less.
    """
    shape = x.shape
    if x.ndim == 3:
        x = x[..., None]
    for fill, run in groupby(enumerate(augmentations), lambda pair: _fill(pair[1])):
        drawn = [(augmentation, stream(seed, "augment", *address, i)) for i, augmentation in run]
        if fill is not None:
            maps = [linear.maps(len(x), random) for linear, random in drawn if isinstance(linear, Linear)]
            x = resample(x, reduce(np.matmul, maps), fill)
            continue
        for augmentation, random in drawn:
            x, t = augmentation.apply(x, t, random)
    return x.reshape(shape), t


def _fill(augmentation: Augmentation) -> float | None:
    """What a linear map has around the image; maps that agree on it can be multiplied."""
    return augmentation.fill if isinstance(augmentation, Linear) else None


def check(augmentations: Sequence[Augmentation], shape: Shape, key: str) -> None:
    """Check that all that stand under a key can be applied to examples of a shape.

    Raises:
        ConfigError: naming the first that cannot.
    """
    for augmentation in augmentations:
        try:
            augmentation.check(shape)
        except ConfigError as error:
            raise ConfigError(f"{key}: {error}") from None


def check_loss(augmentations: Sequence[Augmentation], loss: Loss, key: str) -> None:
    """Check that a loss takes the targets that come out.

    Raises:
        ConfigError: naming the first augmentation whose targets it does not take.
    """
    for augmentation in augmentations:
        if augmentation.mixes and not loss.takes_mixtures:
            raise ConfigError(
                f"{key}: {augmentation.type} makes targets of several classes at once, and {loss.type} takes "
                "one; cross_entropy, binary_cross_entropy and kl_divergence take both"
            )
