"""The BLAS kernel is chosen before NumPy, where the processor has what it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import threadpoolctl

from nnctl.engine import blas
from nnctl.engine.blas import AVX512, kernel, processor

SHOW = (
    "import json, os; from nnctl.engine import blas; blas.prepare(); "
    "names = ('OPENBLAS_CORETYPE', 'OPENBLAS_NUM_THREADS'); print(json.dumps([os.environ.get(n) for n in names]))"
)


def prepared(**environment: str) -> list[str | None]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    kernels: list[str | None] = json.loads(done.stdout)
    return kernels


def test_the_kernel_follows_the_processor() -> None:
    assert prepared() == [kernel(processor()), "1"]


WIDE = " ".join(sorted(AVX512)) + " avx2 fma"


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ({"vendor_id": "GenuineIntel", "cpu family": "6", "flags": WIDE}, "SkylakeX"),
        ({"vendor_id": "AuthenticAMD", "cpu family": "25", "flags": WIDE}, "Haswell"),  # Zen 4
        ({"vendor_id": "AuthenticAMD", "cpu family": "26", "flags": WIDE}, "SkylakeX"),  # Zen 5
        ({"vendor_id": "AuthenticAMD", "cpu family": "25", "flags": "avx2 fma"}, None),  # Zen 3
        ({"vendor_id": "GenuineIntel", "flags": WIDE.replace("avx512vl", "")}, None),
        ({}, None),
    ],
)
def test_the_kernel_for_a_processor(said: dict[str, str], chosen: str | None) -> None:
    assert kernel(said) == chosen


def test_the_users_kernel_wins_and_the_plans_threads_do() -> None:
    assert prepared(OPENBLAS_CORETYPE="Haswell", OPENBLAS_NUM_THREADS="7") == ["Haswell", "1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2\n\nprocessor : 1\nflags : other\n",
            {"processor": "0", "vendor_id": "AuthenticAMD", "flags": "fpu avx2"},
        ),
        ("Processor : ARM\n", {"Processor": "ARM"}),
        ("", {}),
    ],
)
def test_what_linux_says_of_a_processor(tmp_path: Path, text: str, said: dict[str, str]) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert processor(tmp_path / "cpuinfo") == said
    assert processor(tmp_path / "missing") == {}


def test_once_numpy_is_there_nothing_is_set() -> None:
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


@pytest.mark.parametrize(
    ("said", "own", "expected"),
    [("Haswell", None, "Haswell"), ("Haswell", "SkylakeX", "SkylakeX"), (None, None, None), (None, "Zen", "Zen")],
)
def test_what_is_set_before_numpy_is_loaded(
    monkeypatch: pytest.MonkeyPatch, said: str | None, own: str | None, expected: str | None
) -> None:
    environment = {"OPENBLAS_CORETYPE": own} if own else {}
    monkeypatch.setattr(blas, "os", SimpleNamespace(environ=environment))
    monkeypatch.setattr(blas, "sys", SimpleNamespace(modules={}))
    monkeypatch.setattr(blas, "kernel", lambda _said: said)
    blas.prepare()
    assert (environment.get("OPENBLAS_CORETYPE"), environment["OPENBLAS_NUM_THREADS"]) == (expected, "1")


OPENMP = {"user_api": "openmp", "internal_api": "openmp", "version": None, "num_threads": 2}
OPENBLAS = {"user_api": "blas", "internal_api": "openblas", "version": "0.3", "architecture": "Zen", "num_threads": 1}


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        ([OPENMP, OPENBLAS], {"library": "openblas", "version": "0.3", "kernel": "Zen", "threads": 1}),
        ([OPENMP], {"library": "unknown"}),
        ([], {"library": "unknown"}),
    ],
)
def test_what_is_in_use(
    monkeypatch: pytest.MonkeyPatch, loaded: list[dict[str, object]], expected: dict[str, object]
) -> None:
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: loaded)
    assert blas.describe() == expected
