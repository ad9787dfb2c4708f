"""`nnctl plot` as a command: every kind of plot, where it goes, and what cannot be drawn."""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nnctl.cli.main import main
from nnctl.plot.request import PLOTS
from tests.plot.made import conv_run, dense_run, pictures
from tests.process import ROOT, nnctl
from tests.runs.made import make_run

GRID = [f"p{i}" for i in range(16)]
NUMBERS = "name: numbers\ndata: {source: {type: csv, path: numbers.csv}, target: y}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    conv_run(folder)
    dense_run(folder, GRID)
    make_run(folder, NUMBERS, numbers_csv="x,y\n" + "".join(f"{i},{i}.5\n" for i in range(30)))
    for run in (folder / "runs").iterdir():
        (run / "metrics.jsonl").write_text('{"epoch": 1, "train.loss": 2.0}\n{"epoch": 2, "train.loss": 1.0}\n')
    return folder


@pytest.fixture
def plot(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    """Runs plot in a folder of its own, demands an exit code, returns stdout and stderr."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object, code: int = 0) -> Any:
        capsys.readouterr()
        assert main(["plot", *map(str, arguments)]) == code
        return capsys.readouterr()

    return call


@pytest.mark.parametrize("what", PLOTS)
def test_every_kind(plot: Callable[..., Any], what: str) -> None:
    out, err = plot("runs/pictures-0001", "--what", what)
    assert (out, err) == (f"pictures-0001-{what}.png\n", "")
    with Image.open(out.strip()) as image:
        assert image.size[0] == 1200
        assert len(image.getcolors(1 << 24) or ()) > 10
        assert not image.info.keys() & {"Software", "Creation Time"}


@pytest.mark.parametrize(
    ("arguments", "size"), [(["--dpi", "100"], 800), (["--width", "5"], 750), (["--width", "10", "--dpi", "60"], 600)]
)
def test_the_size(plot: Callable[..., Any], arguments: Sequence[str], size: int) -> None:
    plot("runs/columns-0001", "--output", "a.png", *arguments)
    with Image.open("a.png") as image:
        assert image.size[0] == size


def test_the_same_file_twice(plot: Callable[..., Any], tmp_path: Path) -> None:
    for what in PLOTS:
        for name in ("a.svg", "b.svg"):
            assert plot("runs/pictures-0001", "--what", what, "--output", name).out == f"{name}\n"
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_model_file_on_its_own(plot: Callable[..., Any], tmp_path: Path) -> None:
    assert plot("runs/columns-0001/model.safetensors").out == "columns-0001-curves.png\n"
    shutil.copy("runs/columns-0001/model.safetensors", "mine.safetensors")
    assert plot("mine.safetensors", "--what", "filters").out == "mine-filters.png\n"
    assert plot("mine.safetensors", "--what", "confusion", "--data", "columns.csv").out == "mine-confusion.png\n"
    _, err = plot("mine.safetensors", code=3)
    assert "is no run" in err or "not a run directory" in err


def test_which_example(plot: Callable[..., Any], tmp_path: Path) -> None:
    files = []
    for arguments in ([], ["--example", 1], ["--example", 2], ["--example", 2, "--data", "pictures.npz"]):
        plot("runs/pictures-0001", "--what", "features", "--output", "a.svg", *arguments)
        files.append((tmp_path / "a.svg").read_bytes())
    assert files[0] == files[1] != files[2] == files[3]


def test_a_picture_file(plot: Callable[..., Any], tmp_path: Path) -> None:
    raw, _ = pictures()
    Image.fromarray(raw[1, ..., 0]).save("one.png")
    plot("runs/pictures-0001", "--what", "features", "--image", "one.png")
    _, err = plot("runs/pictures-0001", "--what", "features", "--image", "two.png", code=3)
    assert err == "error: two.png: cannot be read: No such file or directory\n"


REFUSED = [
    (["runs/pictures-0001", "--output", "a.pdf"], 2, "--output a.pdf: plots are written as .png or .svg"),
    (["runs/pictures-0001", "--image", "a.png"], 2, "--image: is for `--what features`"),
    (["runs/pictures-0001", "--what", "weights", "--example", "3"], 2, "--example: is for `--what features`"),
    (
        ["runs/pictures-0001", "--what", "features", "--example", "3", "--image", "a.png"],
        2,
        "--example and --image: both name what to draw",
    ),
    (["runs/pictures-0001", "--what", "features", "--example", "31"], 2, "--example 31: there is no such row"),
    (["runs/pictures-0001", "--split", "test", "--data", "a.csv", "--what", "confusion"], 2, "use one of them"),
    (["runs/columns-0001", "--what", "features"], 2, "no layer that reads this input gives maps"),
    (["runs/numbers-0001", "--what", "confusion"], 2, "this model predicts numbers"),
    (["runs/none-0001"], 3, "runs/none-0001: no such run"),
    (["runs/none-0001", "--what", "filters"], 3, "runs/none-0001: no such run"),
    (["runs/pictures-0001", "--what", "colours"], 2, "'colours' is not one of 'curves', 'confusion'"),
    (["runs/pictures-0001", "--dpi", "1"], 2, "40"),
    (["runs/pictures-0001", "--output", "none/a.png"], 2, "cannot be written"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), REFUSED)
def test_what_cannot_be_drawn(
    plot: Callable[..., Any], tmp_path: Path, arguments: Sequence[str], code: int, message: str
) -> None:
    before = set(tmp_path.iterdir())
    out, err = plot(*arguments, code=code)
    assert out == ""
    assert message in err
    assert set(tmp_path.iterdir()) == before


def test_without_matplotlib(plot: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    assert plot("runs/pictures-0001", code=2) == (
        "",
        "error: plots need Matplotlib, which is not installed here: pip install 'nnctl[plot]'\n",
    )


def test_kinds_are_those_of_the_help_and_of_the_guide() -> None:
    shown = nnctl("plot", "--help", cwd=ROOT).stdout
    guide = (ROOT / "docs" / "plots.md").read_text()
    assert "|".join(PLOTS) in "".join(shown.split())
    assert all(f"`{what}`" in guide for what in PLOTS)
