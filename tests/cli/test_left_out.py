"""Examples that are left out are named and counted, wherever that happens."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nnctl.cli.main import main
from nnctl.errors import DataError
from nnctl.runs.trained import open_trained
from nnctl.use.evaluation import file_data
from tests.data.pictures import GREY, shades, write
from tests.runs.made import make_run

CONFIG = """\
name: photos
data: {source: {type: image_folder, path: photos, color: grey}, malformed: skip, split: {validation: 0.2, test: 0.2}}
model: {hidden: [2]}
training: {epochs: 1}
"""
TABLE = """\
name: table
data: {source: {type: csv, path: t.csv}, target: y, malformed: skip, missing_target: drop}
model: {hidden: [2]}
training: {epochs: 1}
"""
CSV = "x,y\n" + "".join(f"{i % 9},{'ab'[i % 2]}\n" for i in range(60)) + "1,\n2,\n1,2,3\n"
CUT = "photos/dark/zz.png: is empty"
EMPTY = "photos/none: a folder for a class, without images"
SAID = f"2 left out as malformed; the first: {EMPTY}"
SAID_OF_TABLE = [
    "1 left out as malformed: t.csv, line 64: 3 fields where the header has 2",
    "2 rows left out, as they have no target",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write(folder / "photos", shades(10) | {"dark/zz.png": b"", "none/notes.txt": b""})
    (folder / "photos.yaml").write_text(CONFIG)
    (folder / "t.yaml").write_text(TABLE)
    (folder / "t.csv").write_text(CSV)
    make_run(folder, CONFIG)
    return folder


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs a command, demands an exit code, returns stdout and stderr."""

    def call(*arguments: object, code: int = 0) -> tuple[str, str]:
        ended = main([*map(str, arguments)])
        out, err = capsys.readouterr()
        assert ended == code, out + err
        return out, err

    return call


def test_check_tells(run: Callable[..., tuple[str, str]]) -> None:
    assert f"warning: {SAID}\n" in run("check", "photos.yaml")[1]
    found = json.loads(run("check", "photos.yaml", "--json")[0])
    assert SAID in found["warnings"]
    assert found["malformed"] == [EMPTY, CUT]
    assert found["dropped"] == 0
    found = json.loads(run("check", "t.yaml", "--json")[0])
    assert set(SAID_OF_TABLE) <= set(found["warnings"])
    assert found["dropped"] == 2


def test_training_tells_and_writes_it_down(run: Callable[..., tuple[str, str]], folder: Path) -> None:
    out, err = run("train", "photos.yaml")
    assert f"warning: {SAID}\n" in err
    made = folder / out.strip()
    info = json.loads((made / "run.json").read_text())
    assert (info["malformed"], info["dropped"]) == (2, 0)
    assert SAID in info["warnings"]
    log = (made / "log.txt").read_text()
    assert f" warning: {SAID}\n" in log
    assert f" left out as malformed:\n  {EMPTY}\n  {CUT}\n" in log

    out, err = run("train", "t.yaml")
    for said in SAID_OF_TABLE:
        assert f"warning: {said}\n" in err
        assert said in (folder / out.strip() / "log.txt").read_text()
    info = json.loads((folder / out.strip() / "run.json").read_text())
    assert (info["malformed"], info["dropped"]) == (1, 2)


def test_eval_does_as_training_did(run: Callable[..., tuple[str, str]], folder: Path) -> None:
    write(folder / "new", shades(3) | {"dark/zz.png": b"", "light/a.png": b""})
    out, err = run("eval", "runs/photos-0001", "--data", "new", "--worst", "6")
    assert "new, 6 rows" in out
    assert err == "warning: 2 left out as malformed; the first: new/dark/zz.png: is empty\n"
    _, err = run("predict", "runs/photos-0001", "--data", "new", code=3)
    assert err == "error: new/dark/zz.png: is empty\n", "as its rows are those of the data"
    with pytest.raises(DataError, match=r"^new/dark/zz.png: is empty$"):
        file_data(open_trained(folder / "runs/photos-0001"), "new")  # nobody to tell


def test_eval_refuses_what_training_refused(run: Callable[..., tuple[str, str]], folder: Path) -> None:
    shutil.copytree(folder / "photos", folder / "good", ignore=shutil.ignore_patterns("zz.png", "none"))
    made = make_run(folder, CONFIG.replace("malformed: skip, ", "").replace("path: photos", "path: good"))
    _, err = run("eval", made, "--data", "photos", code=3)
    assert err == f"error: {EMPTY}\n", "without advice that has no effect here"
    (folder / "strict.yaml").write_text(CONFIG.replace("malformed: skip, ", ""))
    for command in ("check", "train"):
        _, err = run(command, "strict.yaml", code=3)
        assert f"{EMPTY}; `data.malformed: skip` leaves such images out of training\n" in err


def test_eval_needs_classes(run: Callable[..., tuple[str, str]], folder: Path) -> None:
    write(folder, {"flat/1.png": GREY[:4, :4], "one.png": GREY[:4, :4], "other/zzz/000.png": GREY[:4, :4]})
    for data, message in {
        "one.png": "one.png: has no class or other target; training and `nnctl eval` need a folder with a folder of "
        "images for each class, or a list of images with `labels`; `nnctl predict` takes images without",
        "flat": "flat/1.png: lies in no folder of a class; training and `nnctl eval` need CLASS/1.png, `nnctl predict` "
        "takes it as it is",
        "other": "other/zzz/000.png: column 'target': training had no class 'zzz'; there are dark, light",
    }.items():
        assert run("eval", "runs/photos-0001", "--data", data, code=3)[1] == f"error: {message}\n"
    for data in ("one.png", "flat"):
        assert len(run("predict", "runs/photos-0001", "--data", data)[0].splitlines()) == 2
