"""The matrix-product kernel: chosen before NumPy is imported, and named afterwards.

The OpenBLAS inside NumPy's wheel picks its kernel by processor model and may pick an AVX2 one for a
processor that has AVX-512: measured on such a machine, 110 against 165-225 GFLOP/s a core. The number of
BLAS threads is pinned to one, because it changes the bits of a product; nnctl runs shards on threads
of its own.
"""

import os
import sys
from pathlib import Path

#: What OpenBLAS's SkylakeX kernel is compiled for.
AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """The instruction sets the processor (and the operating system) offer; empty where unknown."""
    if not cpuinfo.exists():
        return set()
    with cpuinfo.open(errors="replace") as lines:
        return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


def prepare() -> None:
    """Set the environment OpenBLAS reads when NumPy loads it. The user's own kernel wins."""
    if "numpy" in sys.modules:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if "OPENBLAS_CORETYPE" not in os.environ and processor_flags() >= AVX512:
        os.environ["OPENBLAS_CORETYPE"] = "SkylakeX"


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
