"""Whatever the header of a model file holds, commands end with figures or with what is wrong, never as a defect."""

import copy
from pathlib import Path
from typing import Any

import pytest

from nnctl.cli.main import main
from nnctl.runs.tensors import read_tensors, write_tensors
from tests.runs.made import make_run

CSV = "a,b,x,y\n" + "".join(f"{i},{'pqr'[i % 3]},{i % 5},{i % 7}\n" for i in range(40))
CONFIG = "data: {source: {type: csv, path: t.csv}, target: [x, y], task: regression}\nmodel: {hidden: [3]}\n"
REMOVED = object()
#: The place of an entry, and what is written there.
MUTATIONS: list[tuple[tuple[str | int, ...], Any]] = [
    (place, value)
    for place, values in {
        ("epoch",): ("three", None, -1, REMOVED),
        ("baseline",): ({}, [1.0], None, {"other": [1.0, 2.0]}, REMOVED),
        ("baseline", "output"): ([1.0], ["a", "b"], 3, [None, None]),
        ("experiment",): (None, [], REMOVED),
        ("experiment", "loss"): ("cross_entropy", None, 3),
        ("experiment", "model"): (None, 7, {"layers": []}),
        ("experiment", "runtime"): ("fast", {"dtype": "int8"}),
        ("fitted",): (None, [], REMOVED),
        ("fitted", "inputs"): ({}, None, {"input": {}}, REMOVED),
        ("fitted", "inputs", "input", "type"): ("array", "sound", 3, REMOVED),
        ("fitted", "inputs", "input", "columns"): ([], "a", None, REMOVED),
        ("fitted", "outputs"): ({}, None, {"other": {"type": "numbers"}}, REMOVED),
        ("fitted", "outputs", "output", "type"): ("classes", "labels", REMOVED),
        ("fitted", "outputs", "output", "columns"): (["x"], ["x", "y", "a"], [], 3),
        ("fitted", "outputs", "output", "scale"): ([1.0], [], "large", [1.0, 2.0, 3.0]),
        ("fitted", "outputs", "output", "centre"): ([1.0], None, [1.0, 2.0, 3.0]),
    }.items()
    for value in values
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("header"), CONFIG, t_csv=CSV)


@pytest.mark.parametrize(("place", "value"), MUTATIONS, ids=lambda part: "removed" if part is REMOVED else str(part))
def test_a_crafted_header(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: tuple[str | int, ...], value: Any
) -> None:
    arrays, header = read_tensors(run / "model.safetensors")
    header = copy.deepcopy(header)
    *way, last = place
    parent: Any = header
    for step in way:
        parent = parent[step]
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    model = tmp_path / "model.safetensors"
    write_tensors(model, arrays, header)
    data = str(run.parent.parent / "t.csv")
    for command in ("eval", "predict"):
        assert main([command, str(model), "--data", data]) == 3, capsys.readouterr()
        assert capsys.readouterr().err.startswith("error: ")
