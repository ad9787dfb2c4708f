"""Runs the sides of a claim in turn, each in a process of its own, and takes medians of ratios."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.claim import Claim, Run, Setting, Side

ROOT = Path(__file__).parents[1]
PACKAGES = {"torch": "PyTorch", "sklearn": "scikit-learn", "pandas": "pandas"}
#: ru_maxrss is in KiB on Linux and in bytes on macOS.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class BenchmarkFailedError(Exception):
    """A side did not end well, or the sides did not do the same work."""


class MissingError(Exception):
    """A claim cannot be measured here: a peer is not installed, or nnctl does not have the thing yet."""


@dataclass
class Result:
    """A measured claim: its ratios, one a repetition, and each side's best thread setting and figure there."""

    name: str
    work: str
    peer: str
    target: float
    at_most: bool
    ratios: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    figures: list[float] = field(default_factory=list)
    unit: str = "s"
    quality: list[float] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)
    met: bool | None = None
    problem: str | None = None


def measure(
    claim: Claim, python: str, repeat: int, threads: Sequence[int], *, quick: bool, tell: Callable[[str], None]
) -> Result:
    """Measure one claim; what goes wrong is the result's `problem`."""
    result = Result(claim.name, claim.work, claim.peer, claim.target, claim.at_most, unit=claim.unit)
    with tempfile.TemporaryDirectory(prefix=f"{claim.name}-") as folder:
        try:
            _measure(claim, Setting(Path(folder), quick), python, repeat, threads, tell, result)
        except (BenchmarkFailedError, MissingError) as problem:
            result.problem = str(problem)
    return result


def _measure(
    claim: Claim,
    setting: Setting,
    python: str,
    repeat: int,
    threads: Sequence[int],
    tell: Callable[[str], None],
    result: Result,
) -> None:
    if lacking := claim.lacks():
        raise MissingError(lacking)
    sides = claim.sides(setting)
    absent = [missing(python, side.needs) for side in sides]
    runs: list[dict[int, list[Run]]] = [{t: [] for t in threads} for _ in sides]
    for repetition in range(repeat):
        for t in threads:
            for side, held, without in zip(sides, runs, absent, strict=True):
                if without is None:
                    held[t].append(execute(python if side.needs else sys.executable, side, t))
            costs = [f"{claim.cost(held[t][-1]):.3g} s" for held in runs if held[t]]
            tell(f"{claim.name}: repetition {repetition + 1} of {repeat}, {t} threads: {' | '.join(costs)}")
    chosen = [_best(claim, held, result) for held, without in zip(runs, absent, strict=True) if without is None]
    if problem := next(filter(None, absent), None):
        raise MissingError(problem)
    _compare(claim, setting, result)
    result.ratios = [claim.ratio(pair) for pair in zip(*chosen, strict=True)]
    result.met = claim.met(median(result.ratios))


def _best(claim: Claim, held: dict[int, list[Run]], result: Result) -> list[Run]:
    """A side's runs at its best thread setting, of which the result takes note."""
    best = min(held, key=lambda t: median(map(claim.cost, held[t])))
    runs = held[best]
    result.threads.append(best)
    result.figures.append(median(map(claim.figure or claim.cost, runs)))
    result.versions.update(runs[-1].said.get("versions", {}))
    if claim.quality is not None:
        result.quality.append(median(map(claim.quality, runs)))
    return runs


def _compare(claim: Claim, setting: Setting, result: Result) -> None:
    """Both sides must have done the same work, which a fraction of the data does not show."""
    ours_and_theirs = len(result.quality) == 2 and not setting.quick
    complaint = claim.tolerance.complaint(*result.quality) if ours_and_theirs else None
    if complaint := complaint or claim.verify(setting.folder):
        raise BenchmarkFailedError(complaint)


def execute(python: str, side: Side, threads: int) -> Run:
    """Run one side to its end."""
    command = [python, *(a.replace("{threads}", str(threads)) for a in side.arguments)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        started = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=errors, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        said = out.read()
        if process.returncode:
            raise BenchmarkFailedError(
                f"a side ended with code {process.returncode}\n{' '.join(command)}\n{errors.read()[-2000:]}"
            )
    return Run(seconds, usage.ru_maxrss * PEAK_UNIT, json.loads(said) if said.strip() else {})


def execute_ours(module: str, *arguments: object) -> Run:
    """Run a module in a process of its own, which may import what the harness must not."""
    return execute(sys.executable, Side(("-m", module, *map(str, arguments))), 1)


def helper(module: str, *arguments: object) -> Run:
    """Run a module of this folder."""
    return execute_ours(f"benchmarks.{module}", *arguments)


def missing(python: str, modules: Sequence[str]) -> str | None:
    """What to install where an interpreter lacks a peer."""
    look = "import sys; from importlib.util import find_spec; print(*[m for m in sys.argv[1:] if not find_spec(m)])"
    absent = subprocess.run(  # as from anywhere else: not from ROOT
        [python, "-c", look, *modules], capture_output=True, text=True, check=True
    ).stdout.split()
    if not absent:
        return None
    names = " and ".join(PACKAGES[module] for module in absent)
    return f"needs {names}: pip install 'nnctl[bench]', or --python PATH of an interpreter that has it"


def as_json(results: Sequence[Result], machine: dict[str, Any]) -> str:
    """Everything measured, for `table` and for other programs."""
    return json.dumps({"machine": machine, "results": [asdict(result) for result in results]}, indent=2) + "\n"
