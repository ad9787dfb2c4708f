"""`nnctl eval --worst`: the table, the files, and what cannot be asked."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal

from nnctl.cli.main import main
from nnctl.plot import sheet
from nnctl.plot.sheet import draw
from tests.plot.made import CONV, conv_run, dense_run, pictures
from tests.runs.made import make_run

NAMES = ["width", "height"]


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Makes two runs and runs eval on one, demands an exit code, returns stdout and stderr."""
    conv_run(tmp_path)
    dense_run(tmp_path, NAMES)
    monkeypatch.chdir(tmp_path)

    def call(run: str, *arguments: object, code: int = 0) -> Any:
        capsys.readouterr()
        assert main(["eval", f"runs/{run}-0001", *map(str, arguments)]) == code
        return capsys.readouterr()

    return call


def test_the_table_comes_last(evaluate: Callable[..., Any]) -> None:
    out = evaluate("pictures", "--worst", 3).out
    head, *lines = out.split("\n\n")[-1].splitlines()
    assert head.split() == ["row", "truth", "prediction", "probability", "loss"]
    losses = [float(line.split()[-1]) for line in lines]
    assert losses == sorted(losses, reverse=True)
    _, kinds = pictures()
    assert all(kinds[int(line.split()[0]) - 1] == line.split()[1] for line in lines)


def test_json_has_all_of_it(evaluate: Callable[..., Any]) -> None:
    found = json.loads(evaluate("pictures", "--worst", 2, "--json").out)
    assert [list(row) for row in found["worst"]] == [["row", "truth", "prediction", "probability", "loss"]] * 2
    assert found["confused"] == sorted(found["confused"], key=lambda pair: -pair["examples"])
    assert "worst" not in json.loads(evaluate("pictures", "--json").out)


def test_files(evaluate: Callable[..., Any], tmp_path: Path) -> None:
    names = ["a.csv", "a.jsonl", "a.parquet", "a.png", "a.svg"]
    out, err = evaluate("pictures", "--worst", 4, *(part for name in names for part in ("--worst-output", name)))
    assert "probability" not in out
    assert err.startswith("".join(f"wrote {name}\n" for name in names))
    csv = pl.read_csv("a.csv")
    assert csv.height == 4
    for other in (pl.read_ndjson("a.jsonl"), pl.read_parquet("a.parquet")):
        assert_frame_equal(csv, other, check_dtypes=False)
    with Image.open("a.png") as image:
        assert image.size[0] == 8 * 150


def test_pictures_are_called_by_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caption has the name of the file of the row, where examples are files, and the row in any case."""
    raw, kinds = pictures()
    for i, (picture, kind) in enumerate(zip(raw, kinds, strict=True)):
        folder = tmp_path / "photos" / kind
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[..., 0]).save(folder / f"{i}.png")
    source = "source: {type: image_folder, path: photos, size: [8, 6]}"
    make_run(tmp_path, CONV.replace("source: {type: npz, path: pictures.npz}", source))
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(sheet, "draw", lambda x, captions, title: seen.extend(captions) or draw(x, captions, title))
    files = ["--worst-output", "a.png", "--worst-output", "a.csv"]
    assert main(["eval", "runs/pictures-0001", "--worst", "3", *files]) == 0
    rows = pl.read_csv("a.csv").to_dicts()
    assert [caption[:2] for caption in seen] == [(row["file"].split("/")[1], f"row {row['row']}") for row in rows]
    assert all(kinds[int(name.removesuffix(".png"))] == true.removeprefix("true: ") for name, _, true, _ in seen)


def test_other_data(evaluate: Callable[..., Any]) -> None:
    rows = json.loads(evaluate("columns", "--data", "columns.csv", "--worst", 30, "--json").out)["worst"]
    assert sorted(row["row"] for row in rows) == list(range(1, 31))
    _, kinds = pictures()
    assert all(kinds[row["row"] - 1] == row["truth"] for row in rows)


def test_the_most_confused_pairs_stand_below_the_matrix(evaluate: Callable[..., Any]) -> None:
    out = evaluate("pictures", "--data", "pictures.npz").out
    block = out.split("confused most\n")[1].splitlines()
    assert block[0].split() == ["true", "predicted", "count"]
    counts = [int(line.split()[-1]) for line in block[1:]]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) <= 5


REFUSED = [
    (
        "pictures",
        ["--worst-output", "a.csv"],
        "--worst-output a.csv: of how many examples? Add --worst N, such as --worst 24",
    ),
    (
        "pictures",
        ["--worst", "3", "--worst-output", "a.xls"],
        "--worst-output a.xls: the ending says no format; .csv, .jsonl, .ndjson, .parquet, .png, .svg do",
    ),
    (
        "columns",
        ["--worst", "3", "--worst-output", "a.png"],
        "--worst-output a.png: the examples are no pictures; write a table, such as .csv",
    ),
]


@pytest.mark.parametrize(("run", "arguments", "message"), REFUSED)
def test_what_cannot_be_asked(
    evaluate: Callable[..., Any], tmp_path: Path, run: str, arguments: Sequence[str], message: str
) -> None:
    assert evaluate(run, *arguments, code=2) == ("", f"error: {message}\n")
    assert not list(tmp_path.glob("a.*"))


def test_tables_need_no_matplotlib(evaluate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    evaluate("pictures", "--worst", 3, "--worst-output", "a.csv")
    _, err = evaluate("pictures", "--worst", 3, "--worst-output", "a.png", code=2)
    assert err == "error: plots need Matplotlib, which is not installed here: pip install 'nnctl[plot]'\n"
