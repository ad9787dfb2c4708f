"""The BLAS kernel is chosen before NumPy, where the processor has what it needs."""

import json
import os
import subprocess
import sys

import pytest

from nnctl.engine.blas import AVX512, processor_flags

SHOW = (
    "import json, os; from nnctl.engine import blas; blas.prepare(); "
    "names = ('OPENBLAS_CORETYPE', 'OPENBLAS_NUM_THREADS'); print(json.dumps([os.environ.get(n) for n in names]))"
)


def prepared(**environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_kernel_follows_the_processor():
    able = processor_flags() >= AVX512
    assert prepared() == ["SkylakeX" if able else None, "1"]


def test_the_users_kernel_wins_and_the_plans_threads_do():
    assert prepared(OPENBLAS_CORETYPE="Haswell", OPENBLAS_NUM_THREADS="7") == ["Haswell", "1"]


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512f\nflags : other\n", {"fpu", "avx2", "avx512f"}),
        ("Processor : ARM\n", set()),
        ("", set()),
    ],
)
def test_flags_of_a_processor(tmp_path, text, flags):
    (tmp_path / "cpuinfo").write_text(text)
    assert processor_flags(tmp_path / "cpuinfo") == flags
    assert processor_flags(tmp_path / "missing") == set()


def test_once_numpy_is_there_nothing_is_set():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import numpy, os; from nnctl.engine import blas; blas.prepare(); "
                "print(os.environ.get('OPENBLAS_NUM_THREADS'), blas.describe()['library'])"
            ),
        ],
        env={k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["None", "openblas"]
