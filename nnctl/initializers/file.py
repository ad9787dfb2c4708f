"""Starting values from a file, such as pre-trained weights."""

from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError
from nnctl.initializers.base import InitializerSpec
from nnctl.initializers.fixed import shaped
from nnctl.names import listed, unknown


class File(InitializerSpec):
    """A tensor of an `.npy`, `.npz` or `.safetensors` file.

    W = the tensor, whose shape must be the parameter's. Raises ConfigError if the file cannot be read, has no such
    tensor, or the shapes differ. No pickled objects are loaded. PyTorch keeps dense weights as (units, inputs),
    here they are (inputs, units): transpose them before saving.

    ```yaml
    init: {type: file, path: pretrained.safetensors, key: hidden.W}
    ```
    """

    type: Literal["file"] = "file"
    path: str = Field(description="Path of the file: .npy, .npz or .safetensors.", min_length=1)
    key: str | None = Field(None, description="Name of the tensor in an .npz or .safetensors file.")

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        array = self.load()
        source = self.path if self.key is None else f"{self.key!r} in {self.path}"
        if array.dtype.kind not in "fiu":
            raise ConfigError(f"{source} holds {array.dtype} entries, but a parameter takes numbers")
        return shaped(array.astype(np.float64), shape, source)

    def load(self) -> Array:
        """The tensor as it is in the file."""
        from safetensors import SafetensorError

        readers = {".npy": self._npy, ".npz": self._npz, ".safetensors": self._safetensors}
        suffix = Path(self.path).suffix
        if suffix not in readers:
            raise ConfigError(f"{self.path} ends in {suffix!r}; a file of weights ends in one of {', '.join(readers)}")
        try:
            return readers[suffix]()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror or error}") from error
        except (ValueError, EOFError, BadZipFile, SafetensorError) as error:
            raise ConfigError(f"{self.path} is not a valid {suffix} file of numbers: {error}") from error

    def _npy(self) -> Array:
        if self.key is not None:
            raise ConfigError(f"{self.path} holds one tensor without a name; leave out key: {self.key}")
        array: Array = np.load(self.path, allow_pickle=False)
        return array

    def _npz(self) -> Array:
        with np.load(self.path, allow_pickle=False) as archive:
            array: Array = archive[self._chosen(archive.files)]
            return array

    def _safetensors(self) -> Array:
        from safetensors import safe_open

        with safe_open(self.path, framework="numpy") as tensors:
            array: Array = tensors.get_tensor(self._chosen(list(tensors.keys())))
            return array

    def _chosen(self, names: list[str]) -> str:
        if self.key in names:
            return self.key
        if self.key is None:
            raise ConfigError(f"{self.path} holds {listed(sorted(names)) or 'no tensors'}; say which with key: NAME")
        raise ConfigError(f"{self.path} holds {unknown('tensor', self.key, sorted(names))}")
