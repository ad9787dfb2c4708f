"""The union of sources, tables held in memory, and paths from the command line."""

import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from nnctl.data import preprocess, spec
from nnctl.data.sources import AnySource, Csv, Idx, JsonLines, Npy, Npz, Parquet, Tsv, source_of
from nnctl.data.sources.base import Source
from nnctl.errors import DataError

SOURCES = get_args(get_args(AnySource)[0])
EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.__name__)
def test_documented_example_is_valid(source: type[Source]) -> None:
    (example,) = EXAMPLE.findall(inspect.getdoc(source) or "")
    assert isinstance(TypeAdapter(AnySource).validate_python(yaml.safe_load(example)), source)


@pytest.mark.parametrize("section", [spec.DataSpec, spec.Split, preprocess.Preprocess, preprocess.ColumnOptions])
def test_documented_example_of_a_section_is_valid(section: type[Any]) -> None:
    (example,) = EXAMPLE.findall(inspect.getdoc(section) or "")
    section.model_validate(yaml.safe_load(example))


@pytest.mark.parametrize(
    "model", [*SOURCES, spec.DataSpec, spec.Split, preprocess.Preprocess, preprocess.ColumnOptions]
)
def test_every_field_is_described(model: type[Any]) -> None:
    assert [n for n, field in model.model_fields.items() if not field.description and n != "type"] == []


def test_inline(tmp_path: Path) -> None:
    source = TypeAdapter(AnySource).validate_python(
        {"type": "inline", "rows": [{"x": 0, "c": "a", "b": True}, {"x": 0.5, "c": None}]}
    )
    assert source.open(tmp_path).frame.to_dict(as_series=False) == {"x": [0, 0.5], "c": ["a", None], "b": [True, None]}
    with pytest.raises(ValidationError):
        TypeAdapter(AnySource).validate_python({"type": "inline", "rows": []})


def test_a_table_with_files_beside_it_cannot_be_made_in_memory() -> None:
    with pytest.raises(
        ValidationError, match="cars are files beside a table; write them with `nnctl datasets make cars"
    ):
        TypeAdapter(AnySource).validate_python({"type": "generated", "generator": "cars"})


def test_generated_has_empty_cells(tmp_path: Path) -> None:
    recipe = {"type": "purchases", "size": 40, "seed": 3}
    source = TypeAdapter(AnySource).validate_python({"type": "generated", "generator": recipe})
    frame = source.open(tmp_path).frame
    assert frame["amount"].is_null().to_list() == (frame["bought"] == "no").to_list()
    assert frame["days"].is_null().to_list() == (frame["orders"] == 0).to_list()
    assert frame["days"].dtype.is_float()


def test_generated_is_what_the_generator_says(tmp_path: Path) -> None:
    source = TypeAdapter(AnySource).validate_python({"type": "generated", "generator": {"type": "moons", "size": 9}})
    names, columns = source.generator.generate()
    frame = source.open(tmp_path).frame
    assert tuple(frame.columns) == names
    assert all(frame[n].to_list() == list(columns[n]) for n in names)


PATHS = {
    "a.csv": Csv,
    "dir.x/a.CSV.gz": Csv,
    "-": Csv,
    "a.tsv": Tsv,
    "a.parquet": Parquet,
    "a.ndjson": JsonLines,
    "a.npy": Npy,
    "a.npz": Npz,
    "train-images-idx3-ubyte.gz": Idx,
}


@pytest.mark.parametrize("path", PATHS)
def test_format_by_ending(path: str) -> None:
    assert type(source_of(path)) is PATHS[path]


def test_source_like_the_one_trained_on() -> None:
    like = Csv(path="train.csv", separator=";", missing=("-",))
    assert source_of("new.csv", like) == Csv(path="new.csv", separator=";", missing=("-",))
    assert source_of("new.parquet", like) == Parquet(path="new.parquet", missing=("-",))
    assert source_of("-", JsonLines(path="a.jsonl")) == JsonLines(path="-")
    assert source_of("x.npy", Npy(path="a.npy", labels="t.npy")) == Npy(path="x.npy")
    with pytest.raises(DataError, match="not known by its ending"):
        source_of("a.xlsx")


LIKE: list[tuple[Any, str, Any]] = [
    (Tsv(path="a.tsv", header=False), "b.data", Tsv(path="b.data", header=False)),
    (Csv(path="a.data", separator=";"), "b.txt.gz", Csv(path="b.txt.gz", separator=";")),
    (Csv(path="a.csv", separator=" "), "b", Csv(path="b", separator=" ")),
    (Csv(path="a.tab", separator=";"), "b.TAB", Csv(path="b.TAB", separator=";")),
    (Csv(path="a.csv", separator=";"), "b.tab", Tsv(path="b.tab")),
    (Parquet(path="a.parquet"), "b.pq", Parquet(path="b.pq")),
    (JsonLines(path="a.json"), "b.json", JsonLines(path="b.json")),
    (Csv(path="a.csv", decimal=",", units={"x": "kg"}), "b.tsv", Tsv(path="b.tsv", decimal=",", units={"x": "kg"})),
    (JsonLines(path="a.jsonl", thousands=","), "b.csv", Csv(path="b.csv", thousands=",")),
    (Npy(path="a.npy", labels="t.npy"), "b.array", Npy(path="b.array")),
]


@pytest.mark.parametrize(("like", "path", "expected"), LIKE, ids=lambda x: getattr(x, "path", x))
def test_an_ending_that_says_nothing_means_the_format_trained_on(like: Source, path: str, expected: Source) -> None:
    assert source_of(path, like) == expected
