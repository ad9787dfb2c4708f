"""The contract every augmentation keeps."""

from typing import Annotated, ClassVar

from numpy.random import Generator
from pydantic import AfterValidator

from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError
from nnctl.spec import Listed, Positive, Spec


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"found {list(ends)}; write the smaller number first")
    return ends


#: A smallest and a largest factor.
Range = Annotated[tuple[Positive, Positive], Listed, AfterValidator(_in_order)]


class Augmentation(Spec):
    """An immutable value: a random change of a training batch that leaves what it shows the same.

    Images are (n, h, w, channels), floating point, in the units they had on disk: 0 to 255 for bytes.
    They are normalised afterwards, and bytes are kept within 0 to 255. What is drawn for an image is
    drawn anew in every step.
    """

    type: str

    #: Whether it needs images, rather than examples of any shape.
    spatial: ClassVar[bool] = True
    #: Whether it makes targets of several classes at once.
    mixes: ClassVar[bool] = False

    def apply(self, x: Array, t: Array, random: Generator) -> tuple[Array, Array]:
        """Inputs x (n, ...), which may be overwritten, and their targets t, which may not."""
        return self.change(x, random), t

    def change(self, x: Array, random: Generator) -> Array:
        """The inputs (n, ...) alone."""
        raise NotImplementedError

    def check(self, shape: Shape) -> None:
        """Check that it can be applied to examples of a shape.

        Raises:
            ConfigError: saying what it needs.
        """
        if self.spatial and len(shape) not in (2, 3):
            raise ConfigError(f"{self.type} works on images (h, w) or (h, w, channels), and the examples are {shape}")
