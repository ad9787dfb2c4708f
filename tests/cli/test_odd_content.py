"""Content that a library stumbles over is told as data, with its place, and never as a defect."""

import hashlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.process import nnctl

CONFIG = """\
name: c
data: {source: {type: csv, path: d.csv}, target: y, split: {validation: 0.25, test: 0}}
model: {hidden: [4]}
training: {epochs: 4}
runtime: {checkpoint_seconds: 0}
"""
TABLE = "a,b,y\n" + "".join(f"{i},{i % 3},{'uv'[i % 2]}\n" for i in range(40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.yaml").write_text(CONFIG)
    (tmp_path / "d.csv").write_text(TABLE)
    return tmp_path


LINES = {
    "half a character": (r'{"a": 1, "y": "\ud83d"}', "half of a character"),
    "half a character in a key": (r'{"a": 1, "\udc00": 3, "y": "u"}', "half of a character"),
    "a huge number": '{"a": 1' + "0" * 400 + ', "y": "u"}',
    "a number beyond Python's limit": '{"a": 1' + "0" * 9000 + ', "y": "u"}',
}


@pytest.mark.parametrize("kind", LINES)
def test_a_line_of_json_that_cannot_be_kept(folder: Path, kind: str) -> None:
    case = LINES[kind]
    line, message = case if isinstance(case, tuple) else (case, "digits; numbers have 308 at most")
    rows = [json.dumps({"a": i, "y": "uv"[i % 2]}) for i in range(40)]
    (folder / "d.jsonl").write_text("\n".join([*rows[:2], line, *rows[2:]]) + "\n")
    source = ["--set", "data.source={type: jsonl, path: d.jsonl}"]
    err = nnctl("check", "c.yaml", *source, cwd=folder, code=3).stderr
    assert "d.jsonl, line 3: " in err
    assert message in err
    skipped = nnctl("check", "c.yaml", *source, "--set", "data.malformed=skip", cwd=folder)
    assert "line 3" in skipped.stdout + skipped.stderr


def test_half_a_character_in_the_experiment(folder: Path) -> None:
    (folder / "c.yaml").write_text(CONFIG + 'seed: "p\\ud800"\n')
    assert "c.yaml:6: " in nnctl("check", "c.yaml", cwd=folder, code=2).stderr


@pytest.mark.parametrize(("values", "word"), [([timedelta(1)] * 40, "duration"), ([b"\xff\x00"] * 40, "binary")])
@pytest.mark.parametrize("command", ["check", "init"])
def test_types_of_parquet_that_are_no_cells(folder: Path, values: list[object], word: str, command: str) -> None:
    pl.DataFrame({"a": values, "y": ["u", "v"] * 20}).write_parquet(folder / "d.parquet")
    source = ["--set", "data.source={type: parquet, path: d.parquet}"]
    arguments = ["check", "c.yaml", *source] if command == "check" else ["init", "d.parquet", "--target", "y"]
    err = nnctl(*arguments, cwd=folder, code=3).stderr
    assert f"column 'a' holds {word}" in err


def test_names_with_a_tilde(folder: Path) -> None:
    (folder / "~d.csv").write_text(TABLE)
    nnctl("check", "c.yaml", "--set", "data.source.path=~d.csv", cwd=folder)
    nnctl("init", "~d.csv", "--target", "y", cwd=folder)
    assert (
        "~nobody_here.csv: no such file"
        in nnctl("init", "~nobody_here.csv", "--target", "y", cwd=folder, code=3).stderr
    )


def test_a_pipe_is_read_once(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=lambda: (folder / "pipe").write_text(TABLE), daemon=True)
    writer.start()
    nnctl("check", "c.yaml", "--set", "data.source.path=pipe", cwd=folder)
    writer.join(10)
    assert not writer.is_alive()


def test_a_pipe_is_hashed_while_it_is_read(folder: Path) -> None:
    expected = hashlib.sha256(TABLE.encode()).hexdigest()
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=lambda: (folder / "pipe").write_text(TABLE), daemon=True)
    writer.start()
    nnctl("train", "c.yaml", "--quiet", "--set", "data.source.path=pipe", cwd=folder)
    nnctl("train", "c.yaml", "--quiet", "--set", "data.source.path='-'", cwd=folder, text_in=TABLE)
    nnctl("train", "c.yaml", "--quiet", cwd=folder)
    hashes = [json.loads((folder / f"runs/c-000{i}/run.json").read_text())["data"] for i in (1, 2, 3)]
    assert hashes == [{"../../pipe": expected}, {"-": expected}, {"../../d.csv": expected}]


def test_a_link_to_data_stays_a_link(folder: Path) -> None:
    (folder / "store").mkdir()
    (folder / "d.csv").rename(folder / "store" / "d.csv")
    (folder / "d.csv").symlink_to("store/d.csv")
    nnctl("train", "c.yaml", "--quiet", cwd=folder)
    (folder / "store").rename(folder / "moved")
    (folder / "d.csv").unlink()
    (folder / "d.csv").symlink_to("moved/d.csv")
    nnctl("train", "--resume", "runs/c-0001", "--set", "training.epochs=6", "--quiet", cwd=folder)


LOST: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "all lines": (lambda _: b"", 4),
    "the end of the last": (lambda b: b[:-20], 1),
    "the last": (lambda b: b"".join(b.splitlines(keepends=True)[:-1]), 1),
    "one in the middle": (lambda b: b"".join(b.splitlines(keepends=True)[::2]), 2),
    "a byte of the first": (lambda b: b[:40] + b"\xff" + b[41:], 1),
    "the number of each": (lambda b: b.replace(b'"epoch"', b'"epoxh"'), 4),
}


@pytest.mark.parametrize("lost", LOST)
def test_training_goes_on_where_lines_of_its_figures_are_lost(folder: Path, lost: str) -> None:
    change, count = LOST[lost]
    nnctl("train", "c.yaml", "--quiet", cwd=folder)
    run = folder / "runs/c-0001"
    before = (run / "metrics.jsonl").read_bytes()
    (run / "metrics.jsonl").write_bytes(change(before))
    resume = ("train", "--resume", "runs/c-0001", "--set")
    err = nnctl(*resume, "training.epochs=6", cwd=folder).stderr
    assert f"runs/c-0001/metrics.jsonl: the lines of {count} of 4 epochs are lost" in err
    assert f"the lines of {count} of 4 epochs are lost" in (run / "log.txt").read_text()
    after = (run / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["epoch"] for line in after] == [1, 2, 3, 4, 5, 6]
    assert len({*before.splitlines(keepends=True)} - {*after}) == count  # the others are as they were
    assert "lost" not in nnctl(*resume, "training.epochs=8", cwd=folder).stderr
    nnctl("runs", "show", "runs/c-0001", cwd=folder)


def test_a_run_whose_metrics_file_is_gone_goes_on(folder: Path) -> None:
    nnctl("train", "c.yaml", "--quiet", cwd=folder)
    (folder / "runs/c-0001/metrics.jsonl").unlink()
    err = nnctl("train", "--resume", "runs/c-0001", "--set", "training.epochs=5", cwd=folder).stderr
    assert "the lines of 4 of 4 epochs are lost" in err


def test_a_configuration_that_is_no_text_is_not_gone_on_with(folder: Path) -> None:
    nnctl("train", "c.yaml", "--quiet", cwd=folder)
    file = folder / "runs/c-0001/config.yaml"
    file.write_bytes(file.read_bytes() + b"\xff")
    for _ in range(2):  # the first attempt leaves all as it was
        err = nnctl("train", "--resume", "runs/c-0001", "--set", "training.epochs=6", cwd=folder, code=2).stderr
        assert "runs/c-0001/config.yaml" in err


def test_a_figure_that_is_never_a_number_is_named(folder: Path) -> None:
    (folder / "v.csv").write_text("a,b,y\n1,2,u\n2,2,u\n")
    settings = {
        "data": "{train: {type: csv, path: d.csv}, validation: {type: csv, path: v.csv}, target: y, split: {test: 0}}",
        "metrics": "[roc_auc]", "training.early_stopping": "{monitor: validation.roc_auc, patience: 2}",
    }  # fmt: skip
    (folder / "c.yaml").write_text(f"name: c\ndata: {settings['data']}\nmodel: {{hidden: [4]}}\nmetrics: [roc_auc]\n")
    stopping = f"training.early_stopping={settings['training.early_stopping']}"
    will = "validation.roc_auc will not be a number in any epoch: roc_auc is undefined for examples of one class alone"
    assert will in nnctl("check", "c.yaml", "--set", stopping, cwd=folder).stderr
    err = nnctl("train", "c.yaml", "--set", stopping, cwd=folder).stderr
    assert f"warning: {will}" in err
    assert "early stopping: validation.roc_auc was not a number in any epoch; kept" in err
    assert "warning: validation.roc_auc was not a number in any epoch" in err
    nnctl("train", "c.yaml", "--set", stopping, "--quiet", cwd=folder)
    run = folder / "runs/c-0002"
    reason = "early stopping: validation.roc_auc was not a number in any epoch"
    assert json.loads((run / "run.json").read_text())["stop_reason"] == reason
    assert f"finished: {reason}" in (run / "log.txt").read_text()


def test_warnings_of_numpy_do_not_show(folder: Path) -> None:
    (folder / "d.csv").write_text("a,y\n" + "".join(f"{i}e300,{i % 7}\n" for i in range(1, 40)))
    done = subprocess.run(
        ["bash", "-c", "$N train c.yaml; $N check c.yaml"], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "N": f"{os.sys.executable} -m nnctl"},  # type: ignore[attr-defined]
    )  # fmt: skip
    assert "RuntimeWarning" not in done.stderr
    assert done.returncode != signal.SIGABRT


@pytest.mark.parametrize("name", ["run.json", "metrics.jsonl"])
def test_files_of_a_run_nested_without_end(folder: Path, name: str) -> None:
    nnctl("train", "c.yaml", "--quiet", cwd=folder)
    with (folder / "runs/c-0001" / name).open("w") as file:
        file.write("[" * 200_000)
    err = nnctl("runs", "show", "runs/c-0001", cwd=folder, code=3 if name == "run.json" else 0).stderr
    assert "Traceback" not in err
