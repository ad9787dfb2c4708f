"""Golden records: what the tool gives for many experiments, to be compared to the byte after its insides have changed.

    python -m tests.golden record     run every case and keep what it gave in .golden/
    python -m tests.golden compare    run again and print every difference; exits 1 where there is one

The cases are in golden.yaml. Each command runs as a process of this checkout, in a temporary folder that holds copies
of `configs/`, of `datasets/` and of parts of larger data, so that no path depends on where the checkout lies, and
every run is numbered from 1. Paths of the machine, times, dates, process ids and versions are replaced by a word; all
else is kept as it is. A store belongs to one machine: another processor adds numbers up in another order.

Data that are not shipped are taken from the folder that the environment variable NNCTL_SHARED names, or from
`shared/data` beside the checkout or beside a folder above it; cases whose data are absent are skipped.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import yaml

from tests.golden_data import prepare

ROOT = Path(__file__).parents[1]
TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
#: Cases that run at the same time.
JOBS = 2
#: Characters beyond which a text is kept as its first lines and a digest.
LONGEST, HEAD = 100_000, 5
#: Lines of a difference that are printed, and characters of a line.
SHOWN, WIDTH = 20, 200
#: What differs from one run to the next, or from one checkout to another, and what is written instead.
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"), "<date>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d +[\d.e-]+$", re.MULTILINE), "<date> <time>"),
    (re.compile(r'("(?:seconds|examples_per_second)": )[^,}\n]+'), r"\1<time>"),
    (re.compile(r"(examples/s )\S+"), r"\1<time>"),
    (re.compile(r"(; kept epoch \d+; )[\d.]+ s$", re.MULTILINE), r"\1<time>"),
    (re.compile(r'("pid": )\d+'), r"\1<pid>"),
    (re.compile(r'("platform": )".*"'), r"\1<platform>"),
    (re.compile(r'\b((?:nnctl|python|numpy|polars|pydantic|safetensors)(?:": "| ))\d+\.\d[\w.]*'), r"\1<version>"),
]
#: The store's file that says what it was recorded with; each case has a file of its own.
MADE_WITH = "made-with.json"

Record = dict[str, str]


class Bench:
    """The folder in which a case runs, and what it gave so far: a text for each step."""

    def __init__(self, top: Path, name: str) -> None:
        self.top, self.name, self.folder = top, name, top / "cases" / name
        self.folder.mkdir(parents=True)
        self.record: Record = {}
        self.exits: list[str] = []

    def run(self, step: str, *arguments: str) -> str:
        """Run a command and keep its exit code and what it wrote; returns the last line of its standard output."""
        done = nnctl(self.folder, *arguments)
        if done.returncode:
            self.exits.append(f"{step}: {done.returncode}")
        out, err = (stream.decode(errors="backslashreplace") for stream in (done.stdout, done.stderr))
        parts = (f"exit {done.returncode}", "--- stdout", self.normal(out), "--- stderr", self.normal(err))
        self.keep(step, shlex.join(("nnctl", *arguments)), "\n".join(parts))
        return out.strip().rpartition("\n")[2]

    def keep(self, step: str, origin: str, text: str) -> None:
        """Keep a text under its step, with the command it comes from."""
        self.record[step] = f"$ {origin}\n{text}\n"

    def normal(self, text: str) -> str:
        """A text without what differs from one run to the next; a long one as its first lines and a digest."""
        for path, word in ((self.top.resolve(), "<folder>"), (self.top, "<folder>"), (ROOT, "<checkout>")):
            text = text.replace(str(path), word)
        for pattern, word in VOLATILE:
            text = pattern.sub(word, text)
        if len(text) <= LONGEST:
            return text
        lines = text.split("\n")
        return "\n".join([*(line[:WIDTH] for line in lines[:HEAD]), f"... {len(lines)} lines, {digest(text.encode())}"])

    def train(self, step: str, *arguments: str) -> str:
        """Train, and keep what lies in the run's folder; its path, or nothing where training was refused."""
        run = self.run(step, "train", *arguments)
        folder = self.folder / run
        if not run or not (folder / "model.safetensors").exists():
            return ""
        for name in ("config.yaml", "run.json", "log.txt"):
            self.keep(f"{step}: {name}", f"nnctl train ({name})", self.normal((folder / name).read_text()))
        rows = self.normal(spread((folder / "metrics.jsonl").read_text()))
        self.keep(f"{step}: metrics.jsonl", "nnctl train (metrics.jsonl, an entry a line)", rows)
        model = tensors((folder / "model.safetensors").read_bytes())
        self.keep(f"{step}: model.safetensors", "nnctl train (digests of model.safetensors)", model)
        return run


def nnctl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the tool of this checkout in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
    command = [sys.executable, "-m", "nnctl", *arguments]
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, env=environment
    )


def digest(content: bytes) -> str:
    """The SHA-256 of bytes, so named."""
    return f"SHA-256 {sha256(content).hexdigest()}"


def spread(text: str) -> str:
    """JSON with an entry a line, so that a difference is short."""
    return text.replace(', "', ',\n  "')


def tensors(content: bytes) -> str:
    """What a safetensors file holds: the digests of the file and of each tensor, and the metadata."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    metadata = header.pop("__metadata__", {})
    lines = [f"file {digest(content)}"]
    for name, entry in header.items():
        first, last = (start + place for place in entry["data_offsets"])
        lines.append(f"{name} {entry['shape']} {entry['dtype']} {digest(content[first:last])}")
    for name, text in metadata.items():  # JSON inside JSON: each quotation mark has a backslash before it
        lines.append(f"{name}: {spread(text.replace(chr(92), ''))}")
    return "\n".join(lines)


def experiment(bench: Bench, config: str, epochs: int | None = None) -> None:
    """Run every command on one experiment."""
    sets = ("--set", f"training.epochs={epochs}") if epochs else ()
    bench.run("check", "check", config, *sets)
    bench.run("gradcheck", "gradcheck", config, "--samples", "2", "--batch", "2", *sets)
    bench.run("explain", "explain", config, *sets)
    run = bench.train("train", config, *sets)
    if not run:
        return
    bench.run("eval", "eval", run)
    bench.run("eval --json", "eval", run, "--json", "--worst", "3")
    bench.run("runs show", "runs", "show", run)
    source = source_of(bench.folder / config)
    if source is not None:
        bench.run("predict", "predict", run, "--data", os.path.relpath(source, bench.folder))
    if bench.name in TABLE["plots"]:
        output, *rest = TABLE["plots"][bench.name].split()
        bench.run("plot", "plot", run, "--output", output, *rest)
        bench.keep(f"plot: {output}", f"nnctl plot ({output})", digest((bench.folder / output).read_bytes()))


def source_of(config: Path) -> Path | None:
    """The file or folder of data that an experiment names."""
    source = yaml.safe_load(config.read_text())["data"].get("source") or {}
    return config.parent / source["path"] if "path" in source else None


def made(bench: Bench, arguments: str, epochs: int) -> None:
    """An experiment that `init` writes."""
    bench.run("init", "init", *f"../../{arguments}".split(), "--output", "made.yaml")
    path = bench.folder / "made.yaml"
    if path.exists():
        bench.keep("init: made.yaml", "nnctl init (made.yaml)", bench.normal(path.read_text()))
        experiment(bench, path.name, epochs)


def varied(bench: Bench, config: str, key: str, values: list[Any]) -> None:
    """One training for each value of a key."""
    for value in map(json.dumps, values):
        sets = ("--set", "training.epochs=2", "--set", f"{key}={value}")
        bench.train(value, f"../../configs/{config}.yaml", *sets)


def layers(bench: Bench, between: list[Any]) -> None:
    """An experiment with these layers before its output."""
    content = {**TABLE["on_digits"], "model": {"layers": [*between, "dense"]}}
    (bench.folder / "layers.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    experiment(bench, "layers.yaml")


def refusals(bench: Bench) -> None:
    """Experiments and command lines that are wrong."""
    for name, (sound, wrong) in TABLE["mistakes"].items():
        (bench.folder / "broken.yaml").write_text(TABLE["sound"].replace(sound, wrong))
        bench.run(name, "train", "broken.yaml")
    lines(bench, TABLE["refused"])


def lines(bench: Bench, given: list[str]) -> None:
    """Command lines, one after another."""
    for line in given:
        command, *rest = shlex.split(line)
        if command == "train" and "--json" not in rest:
            bench.train(line, *rest)
        else:
            bench.run(line, command, *rest)


class Case(NamedTuple):
    """What a case runs, and the data it needs, as a path in the temporary folder."""

    run: Callable[[Bench], None]
    needs: str = "."


def cases() -> dict[str, Case]:
    """Every case by name."""
    found: dict[str, Case] = {}
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        source = source_of(path)
        run = partial(experiment, config=f"../../configs/{path.name}", epochs=TABLE["shorter"].get(path.stem))
        found[path.stem] = Case(run, os.path.relpath(source, ROOT) if source else ".")
    for name, keys in TABLE["made"].items():
        found[name] = Case(partial(made, **keys), keys["arguments"].split()[0])
    for name, keys in TABLE["varied"].items():
        found[name] = Case(partial(varied, **keys), found[keys["config"]].needs)
    for name, between in TABLE["layers"].items():
        found[name] = Case(partial(layers, between=between))
    found["refusals"] = Case(refusals)
    found["said"] = Case(partial(lines, given=TABLE["said"]))
    found["more"] = Case(partial(lines, given=TABLE["more"]))
    return found


def run_cases(chosen: dict[str, Case]) -> Iterator[tuple[str, Record | None]]:
    """Run cases, a few at a time; each one's record, or None where its data are absent."""
    with tempfile.TemporaryDirectory(prefix="golden-") as folder, ThreadPoolExecutor(JOBS) as pool:
        top = Path(folder)
        prepare(top, ROOT, TABLE["copied"])
        yield from pool.map(lambda name: (name, run_case(top, name, chosen[name])), chosen)


def run_case(top: Path, name: str, case: Case) -> Record | None:
    """Run one case, and say so on standard error."""
    if not (top / case.needs).exists():
        print(f"{name}: skipped, for {case.needs} is not here (see NNCTL_SHARED)", file=sys.stderr)
        return None
    began, bench = monotonic(), Bench(top, name)
    try:
        case.run(bench)
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:  # a file is missing, or not as it was
        bench.keep("broken off", name, bench.normal(f"{type(error).__name__}: {error}"))
        bench.exits.append(f"broken off by {type(error).__name__}: {error}")
    exits = f"; exit codes: {', '.join(bench.exits)}" if bench.exits and name != "refusals" else ""
    print(f"{name}: {len(bench.record)} texts, {monotonic() - began:.1f} s{exits}", file=sys.stderr)
    return bench.record


def made_with() -> Record:
    """What may change numbers without a change of the program."""
    said = json.loads(nnctl(ROOT, "--version", "--json").stdout)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    processor = next((line for line in read_lines("/proc/cpuinfo") if line.startswith("model name")), "")
    return {**said, "blas": f"{blas['name']} {blas['version']}", "processor": processor.partition(":")[2].strip()}


def read_lines(path: str) -> list[str]:
    """The lines of a file, none where there is none."""
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def record(store: Path, chosen: dict[str, Case]) -> int:
    """Keep what the cases give; 0."""
    store.mkdir(parents=True, exist_ok=True)
    (store / MADE_WITH).write_text(json.dumps(made_with(), indent=2) + "\n")
    for name, found in run_cases(chosen):
        if found is not None:
            content = {step: text.split("\n") for step, text in found.items()}
            (store / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    return 0


def compare(store: Path, chosen: dict[str, Case]) -> int:
    """Print how what the cases give differs from what was kept; 1 where it does, else 0."""
    before = json.loads((store / MADE_WITH).read_text())
    for key, now in made_with().items():
        if before.get(key) != now:
            print(f"note: recorded with {key} {before.get(key)}, compared with {now}", file=sys.stderr)
    different, same = 0, 0
    for name, found in run_cases(chosen):
        path = store / f"{name}.json"
        kept = {step: "\n".join(rows) for step, rows in json.loads(path.read_text()).items()} if path.exists() else {}
        if found is None and not kept:
            continue
        differences = list(differing(kept, found or {}))
        for step, text in differences:
            print(f"== {name}, {step}\n{text}\n")
        different += bool(differences)
        same += not differences
    if len(chosen) == len(cases()):
        for gone in sorted({path.stem for path in store.glob("*.json")} - {Path(MADE_WITH).stem, *chosen}):
            print(f"== {gone}\nwas recorded, and is no case now\n")
            different += 1
    print(f"{same} cases are the same, {different} differ")
    return 1 if different else 0


def differing(kept: Record, found: Record) -> Iterator[tuple[str, str]]:
    """The steps of a case that differ, and how."""
    for step in {**kept, **found}:
        old, new = kept.get(step), found.get(step)
        if old == new:
            continue
        if old is None or new is None:
            yield step, "was not recorded" if old is None else "was recorded, and is not there now"
            continue
        origin = new.partition("\n")[0]
        rows = list(unified_diff(old.split("\n"), new.split("\n"), "recorded", "now", lineterm="", n=1))[2:]
        more = [f"... {len(rows) - SHOWN} more lines"] if len(rows) > SHOWN else []
        yield step, "\n".join([origin, *(row[:WIDTH] for row in rows[:SHOWN]), *more])


def main() -> int:
    """Read the command line and do what it says."""
    known = cases()
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=("record", "compare"))
    parser.add_argument("--only", nargs="+", choices=list(known), metavar="NAME", help=f"cases: {', '.join(known)}")
    parser.add_argument("--store", type=Path, default=ROOT / ".golden", metavar="DIR", help="where records are kept")
    given = parser.parse_args()
    if given.action == "compare" and not (given.store / MADE_WITH).exists():
        parser.error(f"{given.store}: nothing is recorded there; run `record` first")
    chosen = {name: known[name] for name in given.only or known}
    return (record if given.action == "record" else compare)(given.store, chosen)


if __name__ == "__main__":
    sys.exit(main())
