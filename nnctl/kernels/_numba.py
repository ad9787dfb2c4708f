"""The one way a loop is compiled: every operation rounds as NumPy's does, so that every bit is the same.

No `fastmath`, which would reorder sums and contract a product and a sum into one rounding; division by zero gives what
NumPy gives.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Where compiled loops are kept: `NNCTL_CACHE_DIR`, or nnctl in the user's folder of caches."""
    own = os.environ.get("NNCTL_CACHE_DIR")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nnctl"


os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder() / "kernels"))  # read when numba is imported

from numba import njit  # noqa: E402


def loop(function: Function) -> Function:
    """Compile a loop, at its first call with arrays of a type."""
    return cast("Function", njit(nogil=True, error_model="numpy", cache=True)(function))
