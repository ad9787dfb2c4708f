"""`nnctl runs`: the list, one run, and two side by side."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nnctl.cli.main import main

CONFIG = """\
name: xor
data: {source: {type: generated, generator: {type: xor, size: 40}}, target: label}
model: {hidden: [4]}
training: {epochs: 3}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of one experiment, with different seeds."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "xor.yaml").write_text(CONFIG)
    for seed in (1, 2):
        arguments = ["-q", "train", str(folder / "xor.yaml"), "--runs", str(folder / "runs"), "--set", f"seed={seed}"]
        assert main(arguments) == 0
    return folder


@pytest.fixture(autouse=True)
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is the current directory."""
    monkeypatch.chdir(trained)


def result(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    """Standard output and standard error of a command."""
    capsys.readouterr()
    assert main(["runs", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = result(capsys, "list")
    header, first, second = out.splitlines()
    assert header.split() == ["name", "status", "epochs", "best", "monitored", "test", "created", "seconds"]
    assert first.startswith("xor-0001  finished       3     3  validation.loss ")
    assert second.startswith("xor-0002  finished")
    assert err == ""


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(result(capsys, "list", "--json").out)
    assert [run["name"] for run in found] == ["xor-0001", "xor-0002"]
    assert found[0]["epochs"] == 3
    assert set(found[0]["test"]) == {"loss", "accuracy", "macro_f1"}


def test_list_of_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert result(capsys, "list", "--runs", tmp_path / "no", "--json").out == "[]\n"
    out, err = result(capsys, "list", "--runs", tmp_path)
    assert out == ""
    assert "no runs here" in err


def test_list_names_what_is_damaged(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, content in (("half", None), ("broken", "{"), ("whole", '{"status": "finished"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("seed: 1\n")
        if content is not None:
            (tmp_path / name / "run.json").write_text(content)
    out, err = result(capsys, "list", "--runs", tmp_path, "--json")
    assert [run["name"] for run in json.loads(out)] == ["whole"]
    assert [line.split(":")[0:2] for line in err.splitlines()] == [["warning", " left out"]] * 2
    assert "broken" in err
    assert "half" in err


@pytest.mark.parametrize("run", ["xor-0001", "runs/xor-0001"])
def test_show(capsys: pytest.CaptureFixture[str], run: str) -> None:
    out, err = result(capsys, "show", run)
    assert err == ""
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("versions"))
    for words in (
        "finished: ",
        "hidden [4], relu; 17 parameters",
        "train 28, validation 6, test 6",
        "epoch 3",
        "macro_f1",
    ):
        assert words in out


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(result(capsys, "show", "xor-0001", "--json").out)
    assert found["config"]["model"]["hidden"] == [4]
    assert [row["epoch"] for row in found["metrics"]] == [1, 2, 3]
    assert isinstance(found["health"], list)


def test_show_a_run_that_has_only_begun(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a-0001").mkdir()
    (tmp_path / "a-0001" / "config.yaml").write_text("seed: 1\n")
    (tmp_path / "a-0001" / "run.json").write_text('{"status": "created"}')
    out, _ = result(capsys, "show", tmp_path / "a-0001")
    assert "status" in out
    assert "created" in out


def test_diff_shows_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = result(capsys, "diff", "xor-0001", "xor-0002")
    lines = [line.split() for line in out.splitlines()]
    assert lines[:2] == [["configuration", "xor-0001", "xor-0002"], ["seed", "1", "2"]]
    assert "environment" not in out, "the machine is the same"
    assert "evaluation.test.loss" in out
    assert "seconds" not in out
    assert err == ""


def test_diff_of_all_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(result(capsys, "diff", "xor-0001", "xor-0002", "--all", "--json").out)
    assert list(found) == ["configuration", "data", "environment", "metrics"]
    assert found["configuration"]["name"] == {"a": "xor", "b": "xor"}
    assert found["configuration"]["seed"] == {"a": 1, "b": 2}


def test_a_run_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert result(capsys, "diff", "xor-0001", "xor-0001") == ("", "the runs differ in nothing but times\n")


REFUSED = [
    (["show", "xor-0003"], 3, "did you mean 'xor-000"),
    (["show", "runs"], 3, "not a run directory"),
    (["show", "nothing-like-it"], 3, "no run 'nothing-like-it'; there are xor"),
    (["diff", "xor-0001"], 2, "Missing argument"),
    ([], 2, "Missing command"),
    (["lsit"], 2, "No such command"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED, ids=map(str, REFUSED))
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: Sequence[str], code: int, words: str) -> None:
    out, err = result(capsys, *arguments, code=code)
    assert out == ""
    assert words in err
