"""Whatever the table, the file that is written loads, builds and, where there is something to learn, learns."""

import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.errors import ConfigError, DataError, NnctlError
from nnctl.runs import session
from nnctl.runs.record import Recorded, Recorder
from nnctl.suggest.experiment import suggest
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from tests.networks import input_of

DATASETS = Path(__file__).parents[2] / "datasets"
N = 60


def job_of(folder: Path, text: str) -> Job:
    """What the text of an experiment file, put into a folder, becomes."""
    (folder / "made.yaml").write_text(text, encoding="utf-8")
    loaded = load_experiment(folder / "made.yaml", (), Experiment)
    return assemble(loaded.spec, loaded.base)


def made(folder: Path, text: str, *targets: str, name: str = "data.csv", **options: Any) -> tuple[Job, str]:
    """The job and the experiment file for a table."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    suggestion = suggest(str(folder / name), targets, folder, **options)
    return job_of(folder, suggestion.text), suggestion.text


def table(**columns: Any) -> str:
    """A table as CSV."""
    return pl.DataFrame(columns).write_csv()


SHIPPED = {
    "iris": ("species", "macro_f1", 0.6),
    "wine": ("cultivar", "macro_f1", 0.6),
    "breast_cancer": ("diagnosis", "roc_auc", 0.4),
    "digits": ("digit", "macro_f1", 0.9),
    "diabetes": ("progression", "r2", 0.2),
    "moons": ("label", "roc_auc", 0.4),
    "imbalance": ("label", "balanced_accuracy", 0.3),
    "multilabel": ("label1 label2 label3", "macro_f1", 0.5),
    "xor": ("label", "accuracy", 0.4),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_beats_the_baseline_by_a_clear_margin_as_it_stands(tmp_path: Path, name: str) -> None:
    target, metric, margin = SHIPPED[name]
    job = job_of(tmp_path, suggest(str(DATASETS / f"{name}.csv"), target.split(), tmp_path).text)
    *_, last = Recorder(session.begin(job, tmp_path / "runs"), job).train()
    assert isinstance(last, Recorded)
    summary = last.summary
    part = "test" if "test" in summary["evaluation"] else "train"
    figure, trivial = summary["evaluation"][part][metric], summary["baseline"][part][metric]
    assert figure is not None
    assert trivial is not None
    assert figure > trivial + margin


def test_every_shipped_data_set_is_tried() -> None:
    assert set(SHIPPED) == {path.stem for path in DATASETS.glob("*.csv")}


X = [i % 13 * 0.5 for i in range(N)]
LABEL = [("a", "b", "c")[i % 3] for i in range(N)]
ODD_NAMES = ["a: b", "#", "yes", "null", "1e3", "[x", "- x", "{", "'", '"', "é 漢", "<<", "~", "x" * 150]

# CSV text, targets, what the file must say, columns that stay features.
TABLES = {
    "three classes": (table(x=X, y=LABEL), ["y"], ["cross_entropy", "3 classes", "stratify: true"], ["x"]),
    "two classes": (table(x=X, y=[i % 2 for i in range(N)]), ["y"], ["binary_cross_entropy", "roc_auc"], ["x"]),
    "booleans": (table(x=X, y=[i % 2 == 0 for i in range(N)]), ["y"], ["binary_cross_entropy"], ["x"]),
    "numbers": (table(x=X, y=[i * 1.1 for i in range(N)]), ["y"], ["mean_squared_error", "0 to 64.9", "r2"], ["x"]),
    "few whole numbers": (table(x=X, y=[i % 5 for i in range(N)]), ["y"], ["the loss ordinal"], ["x"]),
    "two numbers": (table(x=X, y=[i * 1.1 for i in range(N)], z=X), ["y", "z"], ["[\"y\", z]", "regression"], ["x"]),
    "labels": (
        table(x=X, y=[i % 2 for i in range(N)], z=[i % 3 // 2 for i in range(N)]), ["y", "z"], ["multilabel"], ["x"]
    ),
    "a rare class": (
        table(x=X, y=["a"] * (N - 4) + ["b"] * 4), ["y"], ["have them: class_weights: balanced", "cost accuracy"], ["x"]
    ),
    "a class met once": (table(x=X, y=["a"] * (N - 1) + ["b"]), ["y"], ["2 classes"], ["x"]),
    "an id": (table(id=range(N), x=X, y=LABEL), ["y"], ["- id  # a number given to each row"], ["x"]),
    "dates": (
        table(d=["2020-01-01", "2020-02-01"] * 30, x=X, y=LABEL), ["y"], ["d: date  # 2020-01-01 to 2020"], ["d", "x"]
    ),
    "free text": (table(t=[f"word {i}" for i in range(N)], x=X, y=LABEL), ["y"], ["- t  # text with 60"], ["x"]),
    "the class in other words": (
        table(code=["abc".index(c) for c in LABEL], x=X, y=LABEL), ["y"], ["- code  # y in other words"], ["x"]
    ),
    "only the class in other words": (table(code=["abc".index(c) for c in LABEL], y=LABEL), ["y"], [], ["code"]),
    "a few gaps": (table(x=[None, *X[1:]], y=LABEL), ["y"], ["missing: mean", "'x' lacks 1 of 60"], ["x"]),
    "many gaps": (table(x=[None] * 9 + X[9:], y=LABEL), ["y"], ["missing: indicator"], ["x"]),
    "gaps written otherwise": (
        table(x=["-", "unknown", *(str(i * i) for i in range(58))], y=LABEL),
        ["y"],
        ["'-', 'unknown' in data.csv, line 2, x: taken for missing values"],
        ["x"],
    ),
    "gaps in the target": (
        table(x=X, y=[None, None, *LABEL[2:]]), ["y"], ["missing_target: drop", "2 of 60 rows have no target"], ["x"]
    ),
    "categories": (table(c=["red", "green"] * 30, y=LABEL), ["y"], ["unseen: other", "categories: green, red"], ["c"]),
    "rows that cannot be read": (
        table(x=X, y=LABEL) + "1,a,b\n", ["y"], ["malformed: skip", "1 row cannot be read", "line 62"], ["x"]
    ),
    "no header": (table(x=X, y=LABEL).partition("\n")[2], ["2"], ["header: false", "target: column_2"], ["column_1"]),
    "the last column": (table(x=X, y=LABEL), ["-1"], ["target: \"y\""], ["x"]),
    "a few rows": ("x,y\n0,a\n1,b\n2,a\n", ["y"], ["3 rows are too few", "early_stopping: null"], ["x"]),
    "odd values": (table(x=X, y=["yes # no", "a: b", "nil"] * 20), ["y"], ["3 classes"], ["x"]),
    "control characters": (table(x=X, c=["\x07", "\x1b[1m"] * 30, y=LABEL), ["y"], ["?"], ["x", "c"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables(tmp_path: Path, name: str) -> None:
    content, targets, said, features = TABLES[name]
    job, text = made(tmp_path, content, *targets)
    unwrapped = re.sub(r"\n *# ", " ", text)
    for words in said:
        assert words in unwrapped
    assert [column.name for column in input_of(job.data).columns] == features


def test_uneven_classes_are_not_reweighted_unless_asked(tmp_path: Path) -> None:
    job, _ = made(tmp_path, TABLES["a rare class"][0], "y")
    assert job.experiment.loss.class_weights is None


def test_codes_are_categories(tmp_path: Path) -> None:
    zips = [("02100", "10115", "50667", "80331")[i % 4] for i in range(N)]
    job, text = made(
        tmp_path, table(x=X, postcode=[z.replace("02", "12") for z in zips], region=zips, y=LABEL[::-1]), "y"
    )
    kinds = {column.name: column.kind for column in input_of(job.data).columns}
    assert kinds == {"x": "numeric", "postcode": "categorical", "region": "categorical"}
    assert "codes that begin with zeros, not amounts; 4 categories: 02100, 10115, 50667, 80331" in text


def test_the_kind_of_every_column_is_written_however_many_there_are(tmp_path: Path) -> None:
    columns = {f"x{i}": np.arange(1.0, 41.0) ** 2 % (i + 2) for i in range(60)}
    job, text = made(tmp_path, table(**columns, c=["a", "b"] * 20, y=LABEL[:40]), "y")
    assert len(job.experiment.data.types) == 61
    assert "61 columns to learn from: 60 numeric, 1 categorical" in text


@pytest.mark.parametrize("name", ODD_NAMES)
def test_column_names_that_mean_something_in_yaml(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"x": X, name: X, "y": LABEL})
    for target in ("y", name):
        job, _ = made(tmp_path, frame.write_csv(), target)
        assert job.experiment.data.target == target


@pytest.mark.parametrize("units", [1, 5, 30, 500])
def test_hidden_layers_are_as_wide_as_the_input_within_bounds(tmp_path: Path, units: int) -> None:
    columns = {f"x{i}": np.arange(1.0, 41.0) ** 2 % (i + 2) for i in range(units)}
    job, _ = made(tmp_path, table(**columns, y=LABEL[:40]), "y")
    assert job.experiment.model.hidden == (min(max(units, 16), 64),)


REFUSED = {
    "no target": ("x,y\n1,a\n2,b\n", [], ConfigError, r"which column is to be predicted\? .* has x, y; write --target"),
    "a mistyped target": ("width,y\n1,a\n2,b\n", ["widht"], ConfigError, "did you mean 'width'"),
    "a column number too many": ("x,y\n1,a\n2,b\n", ["3"], ConfigError, "a number from 1 to 2"),
    "a target twice": ("x,y\n1,a\n2,b\n", ["y", "2"], ConfigError, "given twice"),
    "one class": ("x,y\n1,a\n2,a\n", ["y"], DataError, "is 'a' in every row; there is nothing to learn"),
    "one number": ("x,y\n1,2.5\n2,2.5\n", ["y"], DataError, "nothing to learn"),
    "a target without values": ("x,y\n1,\n2,\n", ["y"], DataError, "no value in any row"),
    "a target that names rows": (table(x=X, y=[f"n{i}" for i in range(N)]), ["y"], DataError, "60 different values"),
    "nothing to learn from": (
        table(id=range(N), y=LABEL),
        ["y"],
        DataError,
        "no column is left to learn from .id: a number given",
    ),
    "a target alone": ("y\na\nb\n", ["y"], DataError, "no column is left"),
    "many malformed rows": ("x,y\n" + "1,a\n2,b\n" * 10 + "1,2,3\n" * 3, ["y"], DataError, "3 fields .*another kind"),
    "nothing at all": ("", ["y"], DataError, "empty"),
    "a header alone": ("x,y\n", ["y"], DataError, "no rows"),
    "infinity": ("x,y\n1,a\ninf,b\n", ["y"], DataError, "line 3"),
}


@pytest.mark.parametrize(("content", "targets", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_learned(
    tmp_path: Path, content: str, targets: Sequence[str], error: type[NnctlError], words: str
) -> None:
    with pytest.raises(error, match=words):
        made(tmp_path, content, *targets)


def test_the_task_may_be_given(tmp_path: Path) -> None:
    content = table(x=X, y=[i % 5 for i in range(N)])
    job, text = made(tmp_path, content, "y", task="regression")
    assert job.data.targets["output"].task == "regression"
    assert "as asked" in text


FORMATS = {
    "data.tsv": lambda f, p: p.write_text(f.write_csv(separator="\t")),
    "data.csv.gz": lambda f, p: p.write_bytes(gzip.compress(f.write_csv().encode())),
    "data.parquet": lambda f, p: f.write_parquet(p),
    "data.jsonl": lambda f, p: f.write_ndjson(p),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(tmp_path: Path, name: str) -> None:
    FORMATS[name](pl.DataFrame({"x": X, "y": LABEL}), tmp_path / name)
    job = job_of(tmp_path, suggest(str(tmp_path / name), ["y"], tmp_path).text)
    assert job.data.targets["output"].class_names == ("a", "b", "c")


def test_a_binary_column_of_lists_is_left_out(tmp_path: Path) -> None:
    pl.DataFrame({"x": X, "l": [[1]] * N, "y": LABEL}).write_parquet(tmp_path / "data.parquet")
    text = suggest(str(tmp_path / "data.parquet"), ["y"], tmp_path).text
    assert [column.name for column in input_of(job_of(tmp_path, text).data).columns] == ["x"]


def test_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((N, 4, 4), np.uint8) * np.arange(N)[:, None, None], y=np.arange(N) % 3)
    job = job_of(tmp_path, suggest(str(tmp_path / "a.npz"), [], tmp_path).text)
    assert job.data.inputs["input"].shape == (4, 4)
    assert job.experiment.model.hidden == (16,)


def test_the_name_is_fit_for_a_folder(tmp_path: Path) -> None:
    _, text = made(tmp_path, table(x=X, y=LABEL), "y", name="..my data (1).csv")
    assert "\nname: run\n" in text
    _, text = made(tmp_path, table(x=X, y=LABEL), "y", name="my data (1).csv")
    assert "\nname: my-data-1\n" in text


CELLS = st.sampled_from(
    ["", "0", "1", "2.5", "-3e4", "NA", "-", "a", "b c", "yes", "true", "2020-01-01", "1,5", "é", "x:#"]
)
NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0*^"), max_size=5), min_size=2, max_size=4, unique=True
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=NAMES, rows=st.integers(2, 40), data=st.data())
def test_any_table_makes_a_good_file_or_a_plain_refusal(
    tmp_path: Path, names: Sequence[str], rows: int, data: st.DataObject
) -> None:
    columns = [data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for _ in names]
    frame = pl.DataFrame(dict(zip(names, columns, strict=True)))
    try:
        made(tmp_path, frame.write_csv(), "-1")
    except NnctlError as error:
        assert str(error)
