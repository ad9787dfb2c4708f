"""Images for tests."""

from typing import Any

import numpy as np
from pydantic import TypeAdapter

from nnctl.data.augmentation import AnyAugmentation
from nnctl.data.augmentation.base import Augmentation

N, HEIGHT, WIDTH, CHANNELS = 16, 9, 12, 3
IMAGES = np.random.default_rng(0).integers(1, 256, (N, HEIGHT, WIDTH, CHANNELS)).astype(np.float32)
TARGETS = np.eye(4, dtype=np.float32)[np.arange(N) % 4]


def of(spec: str | dict[str, Any]) -> Augmentation:
    """The augmentation of a mapping or a name."""
    return TypeAdapter(AnyAugmentation).validate_python(spec)
