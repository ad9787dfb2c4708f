"""`nnctl eval` as a command: its figures, its tables, its limits and its exit codes."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.cli.evaluate import show_confusion
from nnctl.cli.main import main
from nnctl.engine.parameters import Array
from nnctl.metrics import ClassPredictions
from tests.process import ROOT
from tests.runs.made import make_run

FRUIT = "weight,colour,kind\n" + "".join(
    f"{100 + 7 * (i % 9) + 40 * (i % 3)},{'red' if i % 2 else 'green'},{('apple', 'pear', 'plum')[i % 3]}\n"
    for i in range(120)
)
FRUIT_CONFIG = """\
name: fruit
seed: 1
data:
  source: {type: csv, path: fruit.csv}
  target: kind
  split: {validation: 0.2, test: 0.3}
  preprocess: {unseen: SOME}
model: {hidden: [4]}
metrics: [accuracy, {type: top_k, k: 2}]
"""
HOUSES = "size,price,rent\n" + "".join(f"{i},{3 * i + (i * 7) % 5},{90 - i}\n" for i in range(40))
HOUSES_CONFIG = "name: houses\ndata: {source: {type: csv, path: houses.csv}, target: [price, rent]}\n"
SONGS = "tempo,loud,fast\n" + "".join(f"{i},{i % 2},{int(i > 20)}\n" for i in range(40))
SONGS_CONFIG = "name: songs\ndata: {source: {type: csv, path: songs.csv}, target: [loud, fast]}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_run(folder, FRUIT_CONFIG.replace("SOME", "error"), fruit_csv=FRUIT)
    make_run(folder, HOUSES_CONFIG, houses_csv=HOUSES)
    make_run(folder, SONGS_CONFIG, songs_csv=SONGS)
    return folder


@pytest.fixture
def evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs eval, demands an exit code, returns stdout and stderr."""

    def call(run: str | Path, *arguments: str, code: int = 0) -> tuple[str, str]:
        ended = main(["eval", str(run), *map(str, arguments)])
        out, err = capsys.readouterr()
        assert ended == code, out + err
        return out, err

    return call


@pytest.fixture
def document(evaluate: Callable[..., tuple[str, str]]) -> Callable[..., dict[str, Any]]:
    """The JSON document of an evaluation."""

    def call(run: str | Path, *arguments: str, code: int = 0) -> dict[str, Any]:
        figures: dict[str, Any] = json.loads(evaluate(run, *arguments, "--json", code=code)[0])
        return figures

    return call


FRUITS, NUMBERS, LABELS = "runs/fruit-0001", "runs/houses-0001", "runs/songs-0001"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_figures_are_those_of_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], split: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(ROOT / "configs" / "iris.yaml"), "--quiet", "--set", "training.epochs=3"]) == 0
    run = capsys.readouterr().out.strip()
    assert main(["eval", run, "--split", split, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    info = json.loads((tmp_path / run / "run.json").read_text())
    assert {"loss": found["loss"], **found["metrics"]} == info["evaluation"][split]
    assert found["baseline"]["metrics"] == info["baseline"][split]
    assert found["rows"] == info["rows"][split]


def predicted(folder: Path, capfd: pytest.CaptureFixture[str], run: str, data: str) -> list[dict[str, Any]]:
    """What predict says of a file, as numbers and as text."""
    assert main(["predict", run, "--data", data, "--output", "p.jsonl"]) == 0
    capfd.readouterr()
    return [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]


def test_classes_by_counting(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every figure from the predictions of the other command, counted one by one."""
    rows = predicted(folder, capfd, FRUITS, "fruit.csv")
    assert main(["eval", FRUITS, "--data", "fruit.csv", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    truth = [line.split(",")[2] for line in FRUIT.splitlines()[1:]]
    classes = ["apple", "pear", "plum"]
    matrix = [
        [sum(t == a and r["prediction"] == b for t, r in zip(truth, rows, strict=True)) for b in classes]
        for a in classes
    ]
    assert found["confusion_matrix"] == matrix
    assert found["rows"] == 120
    assert found["data"] == "fruit.csv"
    assert found["split"] is None
    assert found["metrics"]["accuracy"] == pytest.approx(sum(matrix[i][i] for i in range(3)) / 120)
    assert found["loss"] == pytest.approx(
        -np.mean([np.log(r[f"probability_{t}"]) for t, r in zip(truth, rows, strict=True)]), rel=1e-5
    )
    for i, row in enumerate(found["classes"]):
        decided, true = sum(line[i] for line in matrix), sum(matrix[i])
        assert row["name"] == classes[i]
        assert row["support"] == true == 40
        assert row["precision"] == (pytest.approx(matrix[i][i] / decided) if decided else 0)
        assert row["recall"] == pytest.approx(matrix[i][i] / true)
        assert row["f1"] == pytest.approx(2 * matrix[i][i] / (decided + true))
    assert found["baseline"]["answer"].startswith("always ")
    assert found["baseline"]["metrics"]["accuracy"] == pytest.approx(1 / 3)


def test_numbers_by_arithmetic(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = predicted(folder, capfd, NUMBERS, "houses.csv")
    assert main(["eval", NUMBERS, "--data", "houses.csv", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    truth = np.array([line.split(",")[1:] for line in HOUSES.splitlines()[1:]], float)
    for i, name in enumerate(["price", "rent"]):
        error = np.array([row[f"prediction_{name}"] for row in rows]) - truth[:, i]
        t = truth[:, i]
        assert found["targets"][name] == pytest.approx(
            {
                "rmse": np.sqrt((error**2).mean()),
                "mae": np.abs(error).mean(),
                "r2": 1 - (error**2).sum() / ((t - t.mean()) ** 2).sum(),
            }
        )
    assert found["classes"] == []
    assert found["confusion_matrix"] is None


def test_labels(document: Callable[..., dict[str, Any]]) -> None:
    found = document(LABELS, "--data", "songs.csv")
    assert [row["name"] for row in found["classes"]] == ["loud", "fast"]
    assert [row["support"] for row in found["classes"]] == [20, 19]
    assert [sum(map(sum, matrix)) for matrix in found["confusion_matrix"]] == [40, 40]


def test_the_last_split_is_the_default(
    evaluate: Callable[..., tuple[str, str]], document: Callable[..., dict[str, Any]]
) -> None:
    assert document(FRUITS)["split"] == "test"
    assert document(FRUITS)["rows"] == 36
    assert document(FRUITS, "--split", "validation")["rows"] == 24
    assert evaluate(FRUITS)[0].startswith(f"{FRUITS}: test split, 36 rows\n")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_there_is_not(
    folder: Path, evaluate: Callable[..., tuple[str, str]], document: Callable[..., dict[str, Any]], split: str
) -> None:
    config = HOUSES_CONFIG.replace("target:", "split: {validation: 0, test: 0}, target:")
    run = make_run(folder, config.replace("houses", "whole"), whole_csv=HOUSES)
    assert document(run)["split"] == "train"
    _, err = evaluate(run, "--split", split, code=2)
    assert err == f"error: --split: this run has no split {split!r}; there is train\n"


def test_the_tables(evaluate: Callable[..., tuple[str, str]]) -> None:
    out, err = evaluate(FRUITS, "--data", "fruit.csv", "--metric", "macro_f1")
    blocks = out.split("\n\n")
    assert blocks[0].splitlines()[1].split() == ["model", "baseline"]
    names = [line.split()[0] for line in blocks[0].splitlines()[2:]]
    assert names == ["loss", "accuracy", "top_2_accuracy", "macro_f1", "the"]
    assert blocks[1].splitlines()[0].split() == ["class", "precision", "recall", "F1", "support"]
    assert blocks[2].splitlines()[1].split() == ["true", "apple", "pear", "plum"]
    assert err.startswith("warning: the network is worse than the baseline, which looks at no feature (always ")
    assert len(err.splitlines()) == 1
    out, _ = evaluate(NUMBERS)
    assert [line.split()[0] for line in out.split("\n\n")[1].splitlines()] == ["target", "price", "rent"]
    out, _ = evaluate(LABELS)
    assert [line.split()[0] for line in out.split("\n\n")[1].splitlines()] == ["class", "loud", "fast"]


def shown(
    capsys: pytest.CaptureFixture[str], names: Sequence[str], matrix: Array | Sequence[Sequence[int]]
) -> list[str]:
    truth, decided = np.indices(np.shape(matrix)).reshape(2, -1).repeat(np.ravel(matrix), axis=1)
    show_confusion(ClassPredictions(np.eye(len(names))[decided], truth, None, tuple(names)))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    return out.splitlines()


def test_confusion_of_few_many_and_long_classes(capsys: pytest.CaptureFixture[str]) -> None:
    few = shown(capsys, ["a", "b"], [[3, 1], [0, 2]])
    assert few == ["rows are true classes, columns predicted ones", "true  a  b", "a     3  1", "b     0  2"]
    long = [f"a very long name of class {i}" for i in range(12)]
    numbered = shown(capsys, long, np.full((12, 12), 123))
    assert numbered[1].split() == ["true", *map(str, range(1, 13))]
    assert numbered[2].startswith("1 a very lo...")
    many = np.diag(np.full(40, 9))
    many[3, 5], many[7, 2], many[0, 1] = 2, 8, 5
    pairs = shown(capsys, [f"c{i}" for i in range(40)], many)
    assert [line.split() for line in pairs] == [
        ["true", "predicted", "count"],
        ["c7", "c2", "8"],
        ["c0", "c1", "5"],
        ["c3", "c5", "2"],
    ]
    assert shown(capsys, [f"c{i}" for i in range(40)], np.ones((40, 40), int))[-1] == (
        "the 12 of 1560 pairs that are confused most; --json has the whole matrix"
    )


def test_limits_that_hold(evaluate: Callable[..., tuple[str, str]]) -> None:
    evaluate(FRUITS, "--fail-under", "accuracy=0", "--fail-under", "loss=100", "--fail-under", "brier=2")
    evaluate(NUMBERS, "--fail-under", "rmse=1e9", "--fail-under", "r2=-1e9")


@pytest.mark.parametrize(
    ("run", "limits", "message"),
    [
        (FRUITS, ["accuracy=1.5"], r"^error: accuracy is 0\.\d+; it must be at least 1.5\n$"),
        (FRUITS, ["loss=-1"], r"^error: loss is \d\.\d+; it must be at most -1\n$"),
        (FRUITS, ["macro_f1=2", "accuracy=0", "brier=0"], r"^error: macro_f1 is .* least 2; brier is .* most 0\n$"),
        (NUMBERS, ["rmse=0"], r"^error: rmse is \d.*; it must be at most 0\n$"),
        (NUMBERS, ["max_error=0", "r2=1"], r"^error: max_error .* most 0; r2 is .* least 1\n$"),
    ],
)
def test_limits_that_are_missed(
    evaluate: Callable[..., tuple[str, str]], run: str, limits: Sequence[str], message: str
) -> None:
    import re

    out, err = evaluate(run, *(part for limit in limits for part in ("--fail-under", limit)), "--quiet", code=4)
    assert out.startswith(run), "the figures come first"
    assert re.match(message, err), err


def test_a_figure_that_is_no_number_misses_every_limit(folder: Path, evaluate: Callable[..., tuple[str, str]]) -> None:
    (folder / "one.csv").write_text(FRUIT.splitlines()[0] + "\n" + FRUIT.splitlines()[1] + "\n")
    for limit in ("roc_auc=0", "roc_auc=-5"):
        _, err = evaluate(FRUITS, "--data", "one.csv", "--fail-under", limit, "--quiet", code=4)
        assert err.startswith("error: roc_auc is nan; it must be at least")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-under", "acuracy=0.9"], "no metric 'acuracy'; did you mean 'accuracy'?"),
        (["--fail-under", "accuracy"], "--fail-under accuracy: is not METRIC=NUMBER; write for example accuracy=0.95"),
        (["--fail-under", "accuracy=high"], "is not METRIC=NUMBER"),
        (["--fail-under", "accuracy=nan"], "is not METRIC=NUMBER"),
        (["--fail-under", "=3"], "no metric ''"),
        (["--metric", "marco_f1"], "did you mean 'macro_f1'?"),
        (["--metric", "rmse"], "rmse is for regression, and the target is classification"),
        (["--metric", "binary_f1"], "needs a target of two classes"),
        (["--metric", "f1_at_7"], "no metric 'f1_at_7'"),
        (["--split", "tset"], "'train', 'validation', 'test'"),
        (["--split", "test", "--data", "fruit.csv"], "--split test: is a part of the run's own data"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(evaluate: Callable[..., tuple[str, str]], arguments: Sequence[str], message: str) -> None:
    out, err = evaluate(FRUITS, *arguments, code=2)
    assert out == ""
    assert message in err


def test_from_the_model_file_alone(
    folder: Path,
    evaluate: Callable[..., tuple[str, str]],
    document: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "alone").mkdir()
    shutil.copy(folder / FRUITS / "model.safetensors", folder / "alone" / "fruit.safetensors")
    monkeypatch.chdir(folder / "alone")
    assert document("fruit.safetensors", "--data", "../fruit.csv")["rows"] == 120
    _, err = evaluate("fruit.safetensors", code=3)
    assert "no such file" in err
    assert "--data FILE takes others" in err
    monkeypatch.chdir(folder)
    assert document(FRUITS + "/model.safetensors") == {**document(FRUITS), "run": FRUITS + "/model.safetensors"}


def test_data_that_changed(folder: Path, evaluate: Callable[..., tuple[str, str]]) -> None:
    """Same rows but other bytes: a note. Other rows: the splits cannot be made again."""
    before = evaluate(FRUITS)[1]
    (folder / "fruit.csv").write_text(FRUIT + "\n")
    out, err = evaluate(FRUITS)
    assert err == "warning: ../../fruit.csv: has changed since training\n" + before
    assert out.startswith(FRUITS)
    (folder / "fruit.csv").write_text(FRUIT.replace("100,", "999,"))
    _, err = evaluate(FRUITS, code=3)
    assert "not the data the model was trained on any more" in err
    (folder / FRUITS / "run.json").unlink()
    assert "not the data" in evaluate(FRUITS, code=3)[1]
    (folder / "fruit.csv").write_text("weight,kind\n1,apple\n2,pear\n")
    assert "no column 'colour'" in evaluate(FRUITS, code=3)[1]
    (folder / "fruit.csv").unlink()
    assert "fruit.csv: no such file" in evaluate(FRUITS, code=3)[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weight,colour\n100,red\n", "has no column 'kind'"),
        (
            "weight,colour,kind\n100,red,appel\n",
            "line 2: column 'kind': training had no class 'appel'; did you mean 'apple'?",
        ),
        ("weight,colour,kind\n100,red,\n", "line 2: the target is missing"),
        ("weight,colour,kind\n100,blue,pear\n", "line 2: column 'colour' holds 'blue'"),
        ("weight,colour,kind\n", "no rows after the header"),
        ("colour,kind\nred,pear\n", "has no column 'weight'"),
    ],
)
def test_data_that_does_not_fit(
    folder: Path, evaluate: Callable[..., tuple[str, str]], text: str, message: str
) -> None:
    import re

    (folder / "new.csv").write_text(text)
    out, err = evaluate(FRUITS, "--data", "new.csv", code=3)
    assert out == ""
    assert re.search(message.replace("?", r"\?"), err), err


def test_new_categories_where_they_are_let_in(folder: Path, document: Callable[..., dict[str, Any]]) -> None:
    run = make_run(folder, FRUIT_CONFIG.replace("SOME", "other"), fruit_csv=FRUIT)
    (folder / "new.csv").write_text("weight,colour,kind\n100,blue,pear\n")
    assert document(run, "--data", "new.csv")["rows"] == 1


def test_standard_input(folder: Path) -> None:
    from tests.process import nnctl

    done = nnctl("eval", FRUITS, "--data", "-", "--json", cwd=folder, text_in=FRUIT)
    assert json.loads(done.stdout)["rows"] == 120


def test_a_run_trained_from_standard_input(folder: Path, evaluate: Callable[..., tuple[str, str]]) -> None:
    from tests.process import nnctl

    config = FRUIT_CONFIG.replace("path: fruit.csv", "path: '-'").replace("SOME", "other")
    (folder / "stdin.yaml").write_text(config + "training: {epochs: 1}\n")
    run = nnctl("train", "stdin.yaml", "--quiet", cwd=folder, text_in=FRUIT).stdout.strip()
    assert "came from standard input and are gone; name a file with --data" in evaluate(run, code=3)[1]


def test_an_unfinished_run(folder: Path, evaluate: Callable[..., tuple[str, str]]) -> None:
    (folder / FRUITS / "model.safetensors").unlink()
    info = folder / FRUITS / "run.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "status": "interrupted", "stop_reason": "SIGTERM"}))
    _, err = evaluate(FRUITS, code=3)
    assert err == (
        f"error: {FRUITS}: has no model yet (status interrupted: SIGTERM); "
        f"go on with it: nnctl train --resume {FRUITS}\n"
    )
