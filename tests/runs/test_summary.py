"""What is said of a run, in whatever state it is."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from nnctl.errors import DataError
from nnctl.runs import summary
from nnctl.runs.facts import RunFacts
from nnctl.training.history import EpochRow
from tests.runs.test_compare import run_at


def test_overview_of_a_run_under_way(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a-0001", status="running", pid=os.getpid(), created="now")
    run.append_row(EpochRow(1, seconds=0.5))
    run.append_row(EpochRow(2, seconds=0.25))
    found = summary.overview(run)
    assert (found["status"], found["epochs"], found["seconds"]) == ("running", 2, 0.75)
    assert [found["test"], found["value"], found["best_epoch"]] == [None, None, None]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"status": "finished"}, "finished"),
        ({"status": "running", "pid": os.getpid()}, "running"),
        ({"status": "running", "pid": 2**22 + 1}, "killed"),  # no process has such a number
        ({"status": "interrupted", "pid": 2**22 + 1}, "interrupted"),
        ({}, "unknown"),
    ],
)
def test_status(info: RunFacts, expected: str) -> None:
    assert summary.status(info) == expected


DAMAGE = {
    "run.json is not JSON": ("run.json", b"{"),
    "run.json is a list": ("run.json", b"[]"),
    "figures are no mapping": ("run.json: evaluation", b'{"evaluation": 3}'),
    "the figures of a split are no mapping": ("run.json: evaluation.test", b'{"evaluation": {"test": 3}}'),
    "a figure is a word": ("run.json: evaluation.test.loss", b'{"evaluation": {"test": {"loss": "low"}}}'),
    "the status is a number": ("run.json: status", b'{"status": 3}'),
    "the best epoch is a word": ("run.json: best_epoch", b'{"best_epoch": "two"}'),
    "the restarts are numbers": ("run.json: restarts.0", b'{"restarts": [3]}'),
    "the hashes are a list": ("run.json: data", b'{"data": ["d.csv"]}'),
    "the reason is null": ("run.json: stop_reason", b'{"stop_reason": null}'),
    "metrics are not text": ("metrics.jsonl", b"\xff\xfe"),
    "metrics are numbers": ("metrics.jsonl", b"1\n2\n"),
    "a line has no epoch": ("metrics.jsonl:1", b"{}\n"),
    "an epoch is a word": ("metrics.jsonl:2", b'{"epoch": 1}\n{"epoch": "two"}\n'),
    "an epoch has no end": ("metrics.jsonl:1", b'{"epoch": Infinity}\n'),
    "layers are a list": ("metrics.jsonl:1", b'{"epoch": 1, "layers": [2]}\n'),
}


@pytest.mark.parametrize(("name", "content"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    run = run_at(tmp_path / "a-0001", status="finished")
    (run.path / name.partition(":")[0]).write_bytes(content)
    with pytest.raises(DataError, match=name):
        summary.overview(run)


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"3\n", b"seed: 1\nseed: 2\n"])
def test_damaged_settings_are_named(tmp_path: Path, content: bytes) -> None:
    run = run_at(tmp_path / "a-0001")
    run.config.write_bytes(content)
    with pytest.raises(DataError, match=r"config\.yaml"):
        summary.settings(run)


def layers(**figures: dict[str, float | None]) -> list[EpochRow]:
    return [EpochRow(1, layers=figures)]


HEALTH = {
    "healthy": (layers(d1={"gradient_norm": 0.1, "update_ratio": 1e-3}, relu1={"dead": 0.1}), []),
    "no epochs": ([], []),
    "no figures": ([EpochRow(1)], []),
    "dead": (layers(relu1={"dead": 0.4}), ["relu1: 40% of the units are dead"]),
    "saturated": (layers(tanh1={"saturated": 0.5}), ["tanh1: 50% of the units are saturated"]),
    "vanishing": (
        layers(d1={"gradient_norm": 1e-7}, d2={"gradient_norm": 0.1}),
        ["the gradient vanishes: d1 gets 1e-06"],
    ),
    "exploding": (
        layers(d1={"gradient_norm": 1e5}, d2={"gradient_norm": 0.1}),
        ["the gradient explodes: d1 gets 1e+06"],
    ),
    "frozen": (layers(d1={"update_ratio": 1e-9}), ["d1: no step moved the weights by more than 1e-09"]),
    "slow at the end only": (layers(d1={"update_ratio": 1e-3}) + layers(d1={"update_ratio": 1e-9}), []),
    "staggering": (layers(d1={"update_ratio": 0.5}), ["d1: a step moves the weights by 0.5"]),
}


@pytest.mark.parametrize(("epochs", "expected"), HEALTH.values(), ids=HEALTH)
def test_health(epochs: list[EpochRow], expected: Sequence[str]) -> None:
    found = summary.health(epochs)
    assert len(found) == len(expected)
    for warning, start in zip(found, expected, strict=True):
        assert warning.startswith(start)
