"""The machine the benchmarks run on, and the versions of what is compared."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Processor, cores, system, Python, nnctl's libraries and the BLAS kernel that its engine runs on."""
    look = (
        "from nnctl.engine import blas; blas.prepare(); import json, numpy, nnctl; "
        "print(json.dumps([nnctl.__version__, numpy.__version__, blas.describe()]))"
    )
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    nnctl, numpy, blas = json.loads(said)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": processors(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "nnctl": nnctl,
        "numpy": numpy,
        "blas": f"{blas['library']} {blas.get('version')}, kernel {blas.get('kernel')}",
    }


def processors() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
