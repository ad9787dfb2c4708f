"""`nnctl init`: where it writes, what it refuses, and that training takes what it wrote."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.cli.main import main
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from tests.data.pictures import GREY, encoded, shades, write
from tests.process import nnctl

TABLE = "".join(f"{i * 7 % 41 + 0.5},{'ab'[i % 2]}\n" for i in range(40))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(f"x,label\n{TABLE}")
    return tmp_path


def test_writes_to_standard_output(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["init", "data.csv", "--target", "label"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("# Written by `nnctl init data.csv --target label`.\n")
    assert err == ""
    (folder / "e.yaml").write_text(out)
    assert load_experiment("e.yaml", (), Experiment).spec.data.target == "label"


def test_what_it_wrote_trains(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "data.csv", "--target", "label", "--output", "e.yaml"]) == 0
    assert main(["-q", "train", "e.yaml", "--set", "training.epochs=2"]) == 0
    assert capsys.readouterr() == ("e.yaml\nruns/data-0001\n", "")


def test_paths_start_from_the_file(folder: Path) -> None:
    (folder / "configs").mkdir()
    assert main(["init", "data.csv", "--target", "-1", "--output", "configs/e.yaml"]) == 0
    assert load_experiment("configs/e.yaml", (), Experiment).spec.data.source.path == "../data.csv"


def test_overwrites_only_when_told_to(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "e.yaml").write_text("mine")
    assert main(["init", "data.csv", "--target", "label", "--output", "e.yaml"]) == 2
    assert capsys.readouterr().err == "error: e.yaml: is there already; --force overwrites it\n"
    assert (folder / "e.yaml").read_text() == "mine"
    assert main(["init", "data.csv", "--target", "label", "--output", "e.yaml", "--force"]) == 0
    assert (folder / "e.yaml").read_text() != "mine"


REFUSED = [
    (["data.csv"], 2, "which column is to be predicted? data.csv has x, label; write --target COLUMN"),
    (["data.csv", "--target", "lable"], 2, "did you mean 'label'?"),
    (["data.csv", "--target", "label", "--task", "ranking"], 2, "'classification', 'regression', 'multilabel'"),
    (["data.csv", "--target", "label", "--output", "no/e.yaml"], 2, "there is no folder no"),
    (["data.csw", "--target", "label"], 3, "did you mean 'data.csv'?"),
    (["one.csv", "--target", "label"], 3, "'a' in every row; there is nothing to learn"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"), REFUSED, ids=lambda a: " ".join(a) if isinstance(a, list) else ""
)
def test_refusals(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: Sequence[str], code: int, words: str
) -> None:
    (folder / "one.csv").write_text("x,label\n1,a\n2,a\n")
    assert main(["init", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def test_warns_of_what_the_data_have(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "data.csv").write_text(f"x,label\n{TABLE}" + "3,c\n" * 5)
    assert main(["init", "data.csv", "--target", "label"]) == 0
    assert "warning: " in capsys.readouterr().err


IMAGES = shades(20, (12, 10), ("no", "1e3"))
COLOURED = {name.replace(".png", ".jpg"): encoded(np.dstack([x, x, x // 2]), "JPEG") for name, x in IMAGES.items()}
FLAT = {f"all/{name.replace('/', '-')}": image for name, image in IMAGES.items()}
LIST = "file,shade\n" + "".join(f"{name},{name[4:6]}\n" for name in FLAT)
PIXELS, CLASSES = np.stack(list(IMAGES.values())), np.arange(40) // 20


def folder_of(images: dict[str, Any]) -> Callable[..., Any]:
    return lambda folder: write(folder / "photos", images)


def list_of_images(folder: Path) -> None:
    write(folder / "photos", FLAT)
    (folder / "photos" / "list.csv").write_text(LIST)


# What to name, how to make it, arguments.
LEARNED = {
    "a folder": ("photos", folder_of(IMAGES)),
    "a folder of JPEG": ("photos", folder_of(COLOURED)),
    "a list": ("photos/list.csv", list_of_images),
    "an archive": ("a.npz", lambda folder: np.savez(folder / "a.npz", x=PIXELS, y=CLASSES)),
    "an archive of reals": ("a.npz", lambda folder: np.savez(folder / "a.npz", x=PIXELS / 255.0, y=CLASSES)),
    "two files": ("x.npy", lambda folder: (np.save(folder / "x.npy", PIXELS), np.save(folder / "y.npy", CLASSES))),
}


@pytest.mark.parametrize("name", LEARNED)
def test_images_are_learned_from_the_file_as_it_stands(folder: Path, name: str) -> None:
    data, make = LEARNED[name]
    make(folder)
    (folder / "x.yaml").write_text(nnctl("init", data, cwd=folder).stdout)
    assert "- conv: 8" in (folder / "x.yaml").read_text()
    run = nnctl("-q", "train", "x.yaml", cwd=folder).stdout.strip()
    nnctl("eval", run, "--fail-under", "accuracy=0.9", cwd=folder)


def test_images_are_found_from_the_folder_of_the_file(folder: Path) -> None:
    write(folder / "my photos", IMAGES)
    (folder / "configs").mkdir()
    nnctl("init", "my photos", "--output", "configs/x.yaml", cwd=folder)
    found = json.loads(nnctl("check", "configs/x.yaml", "--json", cwd=folder).stdout)
    assert found["rows"] == {"train": 28, "validation": 6, "test": 6}


# Files below `photos`, what follows `init`, exit code, words.
REFUSED_IMAGES = {
    "an empty folder": ({}, ["photos"], 3, "photos/CLASS/NAME.png"),
    "one class": ({"cat/1.png": GREY}, ["photos"], 3, "'cat', so there is nothing to tell apart"),
    "loose images": ({"1.png": GREY}, ["photos"], 3, "1 images lie in it and none in a folder of a class"),
    "damaged images": ({"a/1.png": b"", "b/1.png": b"no"}, ["photos"], 3, "a/1.png: is empty; none of 2 images"),
    "a target": (IMAGES, ["photos", "--target", "a"], 2, "--target a: photos is a folder"),
    "another task": (IMAGES, ["photos", "--task", "multilabel"], 2, "--task multilabel: photos is a folder"),
    "a mistyped folder": (IMAGES, ["fotos"], 3, "did you mean 'photos'?"),
}


@pytest.mark.parametrize(("files", "arguments", "code", "words"), REFUSED_IMAGES.values(), ids=REFUSED_IMAGES)
def test_refusals_of_images(
    folder: Path, files: dict[str, Any], arguments: Sequence[str], code: int, words: str
) -> None:
    (folder / "photos").mkdir()
    write(folder / "photos", files)
    done = nnctl("init", *arguments, cwd=folder, code=code)
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
