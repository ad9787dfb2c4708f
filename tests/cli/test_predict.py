"""`nnctl predict` as a command: files, pipes, formats, and what it leaves behind when something is wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.cli.main import main
from nnctl.runs.tensors import read_tensors, write_tensors
from tests.process import ROOT, nnctl, start
from tests.runs.made import make_run

CONFIG = """\
name: fruit
seed: 1
data: {source: {type: csv, path: fruit.csv}, target: kind, exclude: [id]}
model: {hidden: [4]}
"""
FRUIT = "id,weight,colour,kind\n" + "".join(
    f"{i},{100 + 7 * (i % 9)},{'red' if i % 2 else 'green'},{('apple', 'pear', 'plum')[i % 3]}\n" for i in range(60)
)
HEADER = "prediction,probability_apple,probability_pear,probability_plum"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fruit")
    make_run(folder, CONFIG, fruit_csv=FRUIT)
    return folder


RUN = "runs/fruit-0001"


@pytest.fixture
def predict(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs predict, demands an exit code, returns stdout and stderr."""

    def call(*arguments: object, code: int = 0, run: str = RUN) -> tuple[str, str]:
        ended = main(["predict", str(run), *map(str, arguments)])
        out, err = capfd.readouterr()
        assert ended == code, out + err
        return out, err

    return call


def test_to_standard_output(predict: Callable[..., tuple[str, str]]) -> None:
    out, err = predict("--data", "fruit.csv", "--keep", "id")
    lines = out.splitlines()
    assert lines[0] == f"id,{HEADER}"
    assert [line.split(",")[0] for line in lines[1:]] == [str(i) for i in range(60)]
    assert {line.split(",")[1] for line in lines[1:]} <= {"apple", "pear", "plum"}
    assert err == ""


def test_columns_that_play_no_part_are_one_note(predict: Callable[..., tuple[str, str]], folder: Path) -> None:
    (folder / "new.csv").write_text("note,colour,weight,x\nhi,red,100,1\n")
    assert predict("--data", "new.csv")[1] == "new.csv: ignored 2 columns: note, x\n"
    assert predict("--data", "new.csv", "--keep", "x")[1] == "new.csv: ignored 1 column: note\n"
    assert predict("--data", "new.csv", "--quiet")[1] == ""


def read_all(path: Path) -> pl.DataFrame:
    reader: Any = {".csv": pl.read_csv, ".parquet": pl.read_parquet}.get(path.suffix, pl.read_ndjson)
    frame: pl.DataFrame = reader(path).with_columns(
        pl.col("^probability_.*$").cast(pl.Float32), pl.col("id").cast(pl.String)
    )
    return frame


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.ndjson", "o.parquet"])
@pytest.mark.parametrize("batch", [7, 1000])
def test_formats_hold_the_same(predict: Callable[..., tuple[str, str]], folder: Path, name: str, batch: int) -> None:
    plain, _ = predict("--data", "fruit.csv", "--keep", "id")
    assert predict("--data", "fruit.csv", "--keep", "id", "--output", name, "--batch", batch) == ("", "")
    expected = pl.read_csv(StringIO(plain), schema_overrides={"id": pl.String})
    expected = expected.with_columns(pl.col("^probability_.*$").cast(pl.Float32))
    assert read_all(folder / name).equals(expected), "every digit"
    assert not list(folder.glob(".*writing"))


def test_the_format_is_asked_for(predict: Callable[..., tuple[str, str]], folder: Path) -> None:
    out, _ = predict("--data", "fruit.csv", "--format", "jsonl", "--no-probabilities")
    assert json.loads(out.splitlines()[0]).keys() == {"prediction"}
    predict("--data", "fruit.csv", "--format", "csv", "--output", "o.txt")
    assert (folder / "o.txt").read_text().startswith(HEADER)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data", "fruit.csv", "--output", "o.txt"], 2, "the ending says no format; .csv, .jsonl"),
        (["--data", "fruit.csv", "--output", "runs", "--format", "csv"], 2, "runs: is a folder"),
        (
            ["--data", "fruit.csv", "--output", "nowhere/o.csv"],
            2,
            "nowhere/o.csv: cannot be written, as there is no folder",
        ),
        (["--data", "fruit.csv", "--output", "./fruit.csv"], 2, "is the file that --data reads"),
        (["--data", "fruit.csv", "--keep", "prediction"], 2, "the predictions have a column of that name"),
        (["--data", "fruit.csv", "--keep", "idd"], 2, "did you mean 'id'?"),
        (["--data", "fruit.csv", "--format", "xml"], 2, "'csv', 'jsonl', 'parquet'"),
        (["--data", "fruit.csv", "--batch", "0"], 2, "--batch"),
        (["--data", "friut.csv"], 3, "did you mean 'fruit.csv'?"),
        (["--data", "fruit.foo"], 3, "no such file"),  # an unknown ending is read as the training data were
        ([], 2, "--data"),
    ],
)
def test_what_cannot_be(
    predict: Callable[..., tuple[str, str]], folder: Path, arguments: Sequence[str], code: int, message: str
) -> None:
    out, err = predict(*arguments, code=code)
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert (folder / "fruit.csv").read_text() == FRUIT
    assert not list(folder.glob(".*writing"))


BAD = {
    "a new category": (
        "101,blue\n",
        "line 2002: column 'colour' holds 'blue', and training had no category 'blue'; there are green, red",
    ),
    "no number": ("many,red\n", "line 2002: column 'weight' is numeric and holds 'many'"),
    "a field too few": ("101\n", "line 2002: 1 field where the header has 2"),
}


@pytest.mark.parametrize("problem", BAD)
@pytest.mark.parametrize("output", ["o.csv", "o.jsonl", "o.parquet"])
def test_what_is_wrong_far_down_leaves_no_half_file(
    predict: Callable[..., tuple[str, str]], folder: Path, problem: str, output: str
) -> None:
    row, message = BAD[problem]
    (folder / "new.csv").write_text("weight,colour\n" + "100,red\n" * 2000 + row)
    _, err = predict("--data", "new.csv", "--output", output, "--batch", 100, code=3)
    assert message in err
    assert not (folder / output).exists()
    assert not list(folder.glob(".*writing"))
    (folder / output).write_text("before")
    predict("--data", "new.csv", "--output", output, "--batch", 100, code=3)
    assert (folder / output).read_text() == "before"
    predict("--data", "new.csv", "--batch", 100, code=3)


def test_missing_columns_are_named(predict: Callable[..., tuple[str, str]], folder: Path) -> None:
    (folder / "new.csv").write_text("wight,id\n1,2\n")
    _, err = predict("--data", "new.csv", code=3)
    assert err == ("error: new.csv: has no columns 'weight' (did you mean 'wight'?), 'colour'; there are wight, id\n")


def test_a_link_is_followed(predict: Callable[..., tuple[str, str]], folder: Path) -> None:
    (folder / "link.csv").symlink_to("real.csv")
    predict("--data", "fruit.csv", "--output", "link.csv")
    assert (folder / "link.csv").is_symlink()
    assert (folder / "real.csv").read_text().startswith(HEADER)


def test_a_pipe_is_written_to_and_not_replaced(folder: Path) -> None:
    os.mkfifo(folder / "out.csv")
    process = start("predict", RUN, "--data", "fruit.csv", "--output", "out.csv", cwd=folder)
    with (folder / "out.csv").open() as rows:
        assert rows.readline() == HEADER + "\n"
        assert len(rows.readlines()) == 60
    assert process.communicate(timeout=60) == ("", "fruit.csv: ignored 1 column: id\n")
    assert (folder / "out.csv").is_fifo()


def test_a_header_alone_gives_a_header_alone(predict: Callable[..., tuple[str, str]], folder: Path) -> None:
    (folder / "new.csv").write_text("weight,colour\n")
    assert predict("--data", "new.csv")[0] == HEADER + "\n"
    predict("--data", "new.csv", "--output", "o.parquet")
    assert pl.read_parquet(folder / "o.parquet").shape == (0, 4)
    assert predict("--data", "new.csv", "--format", "jsonl")[0] == ""


def test_a_pipe(folder: Path) -> None:
    done = nnctl("predict", RUN, "--data", "-", "--keep", "id", cwd=folder, text_in=FRUIT)
    assert done.stdout == nnctl("predict", RUN, "--data", "fruit.csv", "--keep", "id", cwd=folder).stdout
    assert done.stderr == ""
    parquet = folder / "o.parquet"
    nnctl("predict", RUN + "/model.safetensors", "--data", "-", "--output", parquet, cwd=folder, text_in=FRUIT)
    assert pl.read_parquet(parquet).height == 60


def test_a_reader_that_goes_away(folder: Path) -> None:
    (folder / "new.csv").write_text("weight,colour\n" + "100,red\n" * 50_000)
    process = start("predict", RUN, "--data", "new.csv", "--batch", 1000, cwd=folder)
    assert process.stdout.readline() == HEADER + "\n"
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_rows_come_out_while_rows_go_in(folder: Path) -> None:
    """A stream has no end: what was read is predicted before more is asked for."""
    os.mkfifo(folder / "in.csv")
    process = start("predict", RUN, "--data", "in.csv", "--batch", 100, cwd=folder)
    with (folder / "in.csv").open("w") as rows:
        rows.write("weight,colour\n" + "100,red\n" * 3000)
        rows.flush()
        assert process.stdout.readline() == HEADER + "\n"
        assert process.stdout.readline().endswith("\n")
    assert process.stdout.read().count("\n") == 2999
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def corrupt(values: Callable[..., Any]) -> Callable[..., None]:
    """A model file whose checksum is right and whose header is made up."""

    def make(path: Path) -> None:
        arrays, header = read_tensors(path)
        write_tensors(path, arrays, values(header))

    return make


def first_column(values: dict[str, Any]) -> dict[str, Any]:
    """The header of a model that takes one column of those it was trained on."""
    columns = values["fitted"]["inputs"]["input"]["columns"][:1]
    return {**values, "fitted": {**values["fitted"], "inputs": {"input": {"type": "columns", "columns": columns}}}}


def rewritten(change: Callable[..., Any]) -> Callable[..., None]:
    def make(path: Path) -> None:
        path.write_bytes(change(path.read_bytes()))

    return make


def bare(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(3)}, path)


MODELS = {
    "cut off": (rewritten(lambda b: b[:-5]), "not a readable safetensors file"),
    "empty": (rewritten(lambda _: b""), "not a readable safetensors file"),
    "text": (rewritten(lambda _: b"hello"), "not a readable safetensors file"),
    "altered": (rewritten(lambda b: b[:-1] + bytes([b[-1] ^ 1])), "the checksum does not match"),
    "of another tool": (bare, "not one written by nnctl"),
    "of another format": (corrupt(lambda v: {**v, "format": 99}), "not a model file this version of nnctl reads"),
    "a checkpoint": (corrupt(lambda _: {"epoch": 3}), "not a model file"),
    "no mapping": (corrupt(lambda _: [1]), "the header is not one that nnctl writes"),
    "nothing fitted": (corrupt(lambda v: {k: x for k, x in v.items() if k != "fitted"}), "the header is not one"),
    "another fitted": (corrupt(lambda v: {**v, "fitted": "{}"}), "the header is not one"),
    "unknown keys": (corrupt(lambda v: {**v, "experiment": {"x": 1}}), "the header is not one"),
    "too large": (
        corrupt(lambda v: {**v, "experiment": {**v["experiment"], "model": {"hidden": [10**9, 10**9]}}}),
        "the header is not one",
    ),
    "another shape": (corrupt(first_column), "the tensor dense1.weight of shape (1, 4)"),
    "no checksum": (
        rewritten(lambda b: b.replace(b'\\"sha256\\"', b'\\"sha257\\"')),
        "the `nnctl` entry of its header",
    ),
    "a baseline of text": (corrupt(lambda v: {**v, "baseline": ["a"] * 3}), "the header is not one"),
    "a short baseline": (corrupt(lambda v: {**v, "baseline": [1.0]}), "the header is not one"),
}


@pytest.mark.parametrize("problem", MODELS)
def test_a_file_that_is_no_model(predict: Callable[..., tuple[str, str]], folder: Path, problem: str) -> None:
    change, message = MODELS[problem]
    change(folder / RUN / "model.safetensors")
    _, err = predict("--data", "fruit.csv", code=3)
    assert message in err
    assert err.startswith(f"error: {RUN}/model.safetensors: ")


def test_a_path_that_is_no_run(predict: Callable[..., tuple[str, str]], folder: Path) -> None:
    assert "no such run" in predict("--data", "fruit.csv", run="runs/fruit-0002", code=3)[1]
    assert "is no run directory" in predict("--data", "fruit.csv", run="runs", code=3)[1]
    assert "is an experiment file; train it first" in predict("--data", "x.csv", run="experiment.yaml", code=3)[1]
    assert "is an experiment file" in predict("--data", "x.csv", run=RUN + "/config.yaml", code=3)[1]
    assert "not a readable safetensors file" in predict("--data", "x.csv", run="fruit.csv", code=3)[1]


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        ({"status": "interrupted", "stop_reason": "Ctrl-C"}, "interrupted: Ctrl-C); go on with it: nnctl train"),
        ({"status": "running", "pid": 2**22 + 1}, "killed); go on with it"),
        ({"status": "running", "pid": os.getpid()}, "running); wait until it ends"),
        ({"status": "diverged", "stop_reason": "loss is nan"}, "diverged: loss is nan); change"),
    ],
)  # fmt: skip
def test_a_run_without_a_model(
    predict: Callable[..., tuple[str, str]], folder: Path, facts: dict[str, Any], advice: str
) -> None:
    (folder / RUN / "model.safetensors").unlink()
    info = folder / RUN / "run.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), **facts}))
    assert f"{RUN}: has no model yet (status {advice}" in predict("--data", "fruit.csv", code=3)[1]


MEASURED = """
import sys
from nnctl.cli.main import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read the memory's peak from")
def test_memory_does_not_grow_with_the_file(folder: Path) -> None:
    used = []
    for rows in (100_000, 1_000_000):
        (folder / "new.csv").write_text("weight,colour\n" + "100.25,red\n" * rows)
        command = [sys.executable, "-c", MEASURED, "predict", RUN, "--data", "new.csv", "--output", "o.csv"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        used.append(int(done.stderr) / 1000)
    assert used[1] < used[0] + 60, "MB"
