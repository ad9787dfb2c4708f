"""Tensor files: safetensors with JSON values in the header and a checksum over both.

No pickle: opening a file from a stranger can run nothing.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.files import write


def write_tensors(path: Path, arrays: dict[str, Array], values: dict[str, Any]) -> None:
    """Write named arrays and JSON values, safely against crashes."""
    text = json.dumps(values)  # in their order: that of inputs is the order in which they are joined
    arrays = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
    # One entry in the header: safetensors writes several in an order that changes from process to process.
    header = json.dumps({"sha256": _digest(arrays, text), "values": text})
    write(path, save(arrays, {"nnctl": header}))


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read a file of `write_tensors`.

    Raises:
        DataError: where the file is missing, not of this kind, cut short, or changed.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: not a readable safetensors file ({error})") from None
    if "nnctl" not in metadata:
        raise DataError(f"{path}: a safetensors file, but not one written by nnctl (no `nnctl` entry in its header)")
    try:
        header = json.loads(metadata["nnctl"])
        expected, text = str(header["sha256"]), str(header["values"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError(f"{path}: the `nnctl` entry of its header is not as nnctl writes it") from None
    if expected != _digest(arrays, text):
        raise DataError(f"{path}: the checksum does not match; the file was damaged or edited after it was written")
    return arrays, json.loads(text)


def _digest(arrays: dict[str, Array], text: str) -> str:
    digest = sha256(text.encode())
    for name in sorted(arrays):
        a = arrays[name]
        digest.update(f"{name} {a.dtype.str} {a.shape}".encode())
        digest.update(np.ascontiguousarray(a).data)
    return digest.hexdigest()
