"""The matrix-product kernel: chosen before NumPy is imported, and named afterwards.

The OpenBLAS inside NumPy's wheel picks its kernel by processor model, and not always the quickest:

- an AVX2 one on an Intel processor with AVX-512, where 110 GFLOP/s a core were measured against 165-225;
- an AVX-512 one on AMD's Zen 4 (family 25), which computes 512 bits in two halves, so that they gain nothing:
  the products of a training step with 784-256-128-10 took 1.32 ms a core with it and 1.22 with the AVX2 one, those
  of a convolution of 32 to 64 channels 4.1 ms against 3.5.

The number of BLAS threads is pinned to one, because it changes the bits of a product; nnctl runs shards
on threads of its own.
"""

import os
import sys
from pathlib import Path

#: What OpenBLAS's SkylakeX kernel is compiled for.
AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}
#: AMD's processors up to Zen 4; its next family has whole 512 bits.
HALVES = ("AuthenticAMD", "25")


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """What Linux says of the first processor, by name (`vendor_id`, `cpu family`, `flags`); empty elsewhere."""
    if not cpuinfo.exists():
        return {}
    said: dict[str, str] = {}
    with cpuinfo.open(errors="replace") as lines:
        for line in lines:
            name, colon, value = (part.strip() for part in line.partition(":"))
            if name in said:
                break  # the next processor's
            if colon:
                said[name] = value
    return said


def kernel(said: dict[str, str]) -> str | None:
    """The kernel for a processor; None leaves the choice to OpenBLAS."""
    if not set(said.get("flags", "").split()) >= AVX512:
        return None
    return "Haswell" if (said.get("vendor_id"), said.get("cpu family")) == HALVES else "SkylakeX"


def prepare() -> None:
    """Set the environment OpenBLAS reads when NumPy loads it. The user's own kernel wins."""
    if "numpy" in sys.modules:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    chosen = kernel(processor())
    if chosen:
        os.environ.setdefault("OPENBLAS_CORETYPE", chosen)


def describe() -> dict[str, object]:
    """The BLAS in use: library, version, kernel and threads, for run.json."""
    from threadpoolctl import threadpool_info

    for info in threadpool_info():
        if info["user_api"] == "blas":
            return {
                "library": info["internal_api"],
                "version": info["version"],
                "kernel": info.get("architecture"),
                "threads": info["num_threads"],
            }
    return {"library": "unknown"}
