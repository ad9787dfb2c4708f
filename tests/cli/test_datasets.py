"""`nnctl datasets`: what can be made, what is at hand, and messages in the words of the command line."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.cli.datasets import generators
from nnctl.cli.main import main
from nnctl.data.fetch import catalogue
from nnctl.data.fetch.catalogue import DataSet, File
from nnctl.data.generators import Circles, write_csv


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_makes_what_the_generator_makes(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert (
        main(["datasets", "make", "circles", "--size", "5", "--noise", "0.2", "--seed", "3", "--set", "factor=0.3"])
        == 0
    )
    out, err = capsys.readouterr()
    with (folder / "expected.csv").open("w", newline="") as file:
        write_csv(Circles(size=5, noise=0.2, seed=3, factor=0.3).generate(), file)
    assert (out, err) == ((folder / "expected.csv").read_text(), "")


@pytest.mark.parametrize("kind", generators())
def test_makes_every_kind(capsys: pytest.CaptureFixture[str], folder: Path, kind: str) -> None:
    has_files = generators()[kind].has_files
    assert main(["datasets", "make", kind, "--size", "7", *(["--output", "new/t.csv"] if has_files else [])]) == 0
    out = capsys.readouterr().out
    assert len((Path("new/t.csv").read_text() if has_files else out).splitlines()) == 8


def test_files_are_written_beside_the_table_and_not_over_others(folder: Path) -> None:
    make = ["datasets", "make", "cars", "--size", "3", "--output", "new/cars.csv"]
    (folder / "new" / "pictures").mkdir(parents=True)
    (folder / "new" / "pictures" / "0002.png").write_text("mine")
    assert main(make) == 2
    assert [path.name for path in (folder / "new").rglob("*.*")] == ["0002.png"]
    assert main([*make, "--force"]) == 0
    lines = (folder / "new" / "cars.csv").read_text().splitlines()[1:]
    assert all((folder / "new" / line.split(",")[5]).read_bytes()[1:4] == b"PNG" for line in lines)


def test_lists_as_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "make", "blobs", "--size", "4", "--set", "centres=2", "--set", "proportions=[1, 3]"]) == 0
    labels = [line[-1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert sorted(labels) == ["a", "b", "b", "b"]


def test_writes_a_file_once(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    make = ["datasets", "make", "xor", "--size", "4", "--output", "xor.csv"]
    assert main(make) == 0
    assert capsys.readouterr().out == "xor.csv\n"
    written = (folder / "xor.csv").read_text()
    assert main([*make, "--seed", "1"]) == 2
    assert "is there already; --force overwrites it" in capsys.readouterr().err
    assert (folder / "xor.csv").read_text() == written
    assert main([*make, "--seed", "1", "--force"]) == 0
    assert (folder / "xor.csv").read_text() != written


REFUSED = [
    (["moon"], "did you mean 'moons'?"),
    (["moons", "--size", "0"], "--set size=0: size: found 0; allowed: a number of at least 1"),
    (["moons", "--noise", "much"], "allowed: a number"),
    (["moons", "--set", "sixe=3"], "did you mean `size`?"),
    (["moons", "--set", "size"], "write --set key.path=value"),
    (["moons", "--output", "no/m.csv"], "there is no folder no"),
    (["cars"], "cars: has files beside its table; say where, as in --output cars/cars.csv"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: Sequence[str], words: str) -> None:
    assert main(["datasets", "make", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def test_lists_generators_and_files(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "datasets").mkdir()
    (folder / "datasets" / "a.csv").write_text("x,y\n1,2\n3,4\n")
    np.savez(folder / "datasets" / "b.npz", x=np.ones((5, 2, 3)), y=np.arange(5))
    (folder / "datasets" / "broken.parquet").write_bytes(b"no")
    (folder / "datasets" / "README.md").write_text("not data")
    assert main(["datasets", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [kind["type"] for kind in found["generators"]] == list(generators())
    assert found["generators"][0]["settings"]["noise"]["default"] == 0.1
    assert found["files"] == [
        {"path": "datasets/a.csv", "rows": 2, "columns": 2},
        {"path": "datasets/b.npz", "rows": 5, "columns": "2 x 3"},
    ]
    assert err.startswith("warning: left out: datasets/broken.parquet")
    assert main(["datasets", "list"]) == 0
    out = capsys.readouterr().out
    assert all(kind in out for kind in generators())
    assert "datasets/a.csv" in out


def test_without_a_folder_of_data_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == []


CONTENTS = {"a.gz": b"images", "b.gz": b"labels"}
FILES = tuple(File(name, len(c), hashlib.sha256(c).hexdigest()) for name, c in CONTENTS.items())
NOWHERE = [(None, ["a.gz", "b.gz"])]

# Files in ./datasets, and for each folder with files of the set what is missing there.
FETCHED = {
    "nothing": ({}, NOWHERE, None),
    "all": ({"mnist/a.gz": b"images", "mnist/b.gz": b"labels"}, [("datasets/mnist", [])], "datasets/mnist, complete"),
    "a part": ({"mnist/b.gz": b"labels"}, [("datasets/mnist", ["a.gz"])], "datasets/mnist, 1 of 2 files"),
    "another file of its name": (
        {"mnist/a.gz": b"imagos", "mnist/b.gz": b"labels"},
        [("datasets/mnist", ["a.gz"])],
        "datasets/mnist, 1 of 2 files",
    ),
    "broken off": ({"mnist/a.gz.part": b"im"}, [("datasets/mnist", ["a.gz", "b.gz"])], "datasets/mnist, 0 of 2 files"),
    "elsewhere": ({"mine/a.gz": b"images", "mine/b.gz": b"labels"}, [("datasets/mine", [])], "datasets/mine, complete"),
    "another set's": ({"mine/a.gz": b"x", "mine/b.gz": b"y"}, NOWHERE, None),
    "twice": (
        {"mine/a.gz": b"images", "mnist/a.gz": b"images", "mnist/b.gz": b"labels"},
        [("datasets/mine", ["b.gz"]), ("datasets/mnist", [])],
        "datasets/mnist, complete",
    ),
}


@pytest.mark.parametrize(("files", "found", "said"), FETCHED.values(), ids=FETCHED)
def test_lists_what_is_fetched(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, bytes],
    found: Sequence[tuple[Any, Sequence[str]]],
    said: str | None,
) -> None:
    monkeypatch.setattr(catalogue, "CATALOGUE", {"mnist": DataSet("mnist", "Digits", (), FILES)})
    for name, content in files.items():
        (folder / "datasets" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "datasets" / name).write_bytes(content)
    assert main(["datasets", "list", "--json"]) == 0
    fetch = json.loads(capsys.readouterr().out)["fetch"]
    assert [(one["folder"], one["missing"]) for one in fetch] == found
    assert {(one["name"], one["summary"], *one["files"]) for one in fetch} == {("mnist", "Digits", "a.gz", "b.gz")}
    assert main(["datasets", "list"]) == 0
    out = capsys.readouterr().out
    assert "datasets/" not in out if said is None else said in out
