"""Mixing examples."""

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from nnctl.data.augmentation.base import Augmentation
from nnctl.data.augmentation.values import each
from nnctl.engine.parameters import Array
from nnctl.spec import Positive


class Mixup(Augmentation):
    """Mix each example with another one of the batch, and their targets in the same proportion.

        x'_i = l_i x_i + (1 - l_i) x_p(i)        t'_i = l_i t_i + (1 - l_i) t_p(i)

    with l_i ~ Beta(alpha, alpha) and p a random permutation of the batch. Targets are one-hot, so the
    loss must take distributions over classes: hinge and perceptron, which ask on which side a target
    is, are refused. l is drawn for each example, where
    the authors' program draws one a batch. The metrics of training compare with the first one's class.
    Source: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.

    ```yaml
    {type: mixup, alpha: 0.2}
    ```
    """

    type: Literal["mixup"] = "mixup"
    alpha: Positive = Field(0.2, description="Both parameters of the Beta distribution: small ones hardly mix.")
    spatial: ClassVar[bool] = False
    mixes: ClassVar[bool] = True

    def apply(self, x: Array, t: Array, random: Generator) -> tuple[Array, Array]:
        share = random.beta(self.alpha, self.alpha, len(x))
        other = random.permutation(len(x))
        return mixed(x, x[other], each(x, share)), mixed(t, t[other], each(t, share))


def mixed(a: Array, b: Array, share: Array) -> Array:
    """`share` of a, and the rest of b; b is overwritten."""
    b *= 1 - share
    b += a * share
    return b
