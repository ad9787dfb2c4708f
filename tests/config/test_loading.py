"""Files, standard input and overrides become one validated value, or one message with every problem."""

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, model_validator

from nnctl.config.loading import Loaded, load_experiment
from nnctl.config.yaml12 import parse
from nnctl.errors import ConfigError
from nnctl.spec import Listed, Spec, type_short_form


class Adam(Spec):
    """Adam."""

    type: Literal["adam"] = "adam"
    learning_rate: float = Field(0.001, gt=0, description="Step size.")
    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the mean.")
    amsgrad: bool = Field(False, description="Keep the largest.")


class Momentum(Spec):
    """Momentum."""

    type: Literal["momentum"] = "momentum"
    learning_rate: float = Field(description="Step size.", gt=0)
    schedule: "Adam | None" = Field(None, description="Nested.")


AnyOptimizer = Annotated[Adam | Momentum, Field(discriminator="type"), type_short_form]


class Training(Spec):
    """Training."""

    epochs: int = Field(50, ge=1, description="Passes.")
    batch_size: Annotated[int, Field(ge=1)] | Literal["full"] = Field(32, description="Examples a step.")
    target: str | Annotated[tuple[str, ...], Listed] = Field("y", description="Columns.")
    weights: dict[int, float] = Field({}, description="By class.")
    phases: Annotated[tuple["Training", ...], Listed] = Field((), description="Nested.")

    @model_validator(mode="after")
    def _thirteen(self) -> "Training":
        if self.epochs == 13:
            raise ValueError("13 epochs bring bad luck; write 12 or 14")
        return self


class Root(Spec):
    """The root."""

    name: str = Field(description="What to call it.", pattern="^[a-z]+$")
    optimizer: AnyOptimizer = Field(Momentum(learning_rate=0.5), description="The rule.")
    extra: AnyOptimizer | None = Field(None, description="Another.")
    rules: Annotated[tuple[AnyOptimizer, ...], Listed] = Field((), description="Many.")
    training: Training = Field(Training(), description="How long.")


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaded[Any]]:
    monkeypatch.chdir(tmp_path)

    def load(text: str | bytes, *overrides: str) -> Loaded[Any]:
        (tmp_path / "f.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_experiment("f.yaml", overrides, Root)

    return load


def test_a_file(load: Callable[..., Loaded[Any]], tmp_path: Path) -> None:
    text = "name: a\noptimizer: {type: adam, learning_rate: 1e-2}\n"
    loaded = load(text)
    assert loaded.spec == Root(name="a", optimizer=Adam(learning_rate=0.01))
    assert (loaded.base, loaded.text) == (tmp_path, text)
    assert load(b"\xef\xbb\xbfname: a\r\n").spec == Root(name="a"), "a byte-order mark and CRLF are fine"


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"name: a\n")))
    assert load_experiment("-", [], Root).base == tmp_path
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"nam: a\n")))
    with pytest.raises(ConfigError, match="standard input:1: nam: is not a key here"):
        load_experiment("-", [], Root)


OVERRIDES = [  # the file, the overrides, the result
    ("name: a", ["name=b"], Root(name="b")),
    ("name: a", ["training.epochs=7", "training.epochs=8"], Root(name="a", training=Training(epochs=8))),
    ("name: a\noptimizer: adam", ["optimizer.learning_rate=1e-2"], Root(name="a", optimizer=Adam(learning_rate=0.01))),
    ("name: a\noptimizer: adam", ["optimizer=momentum", "optimizer.learning_rate=2"],
     Root(name="a", optimizer=Momentum(learning_rate=2))),
    ("name: a", ["optimizer.learning_rate=0.1"], Root(name="a", optimizer=Momentum(learning_rate=0.1))),
    ("name: a", ["optimizer.schedule.beta1=0.5"],
     Root(name="a", optimizer=Momentum(learning_rate=0.5, schedule=Adam(beta1=0.5)))),
    ("name: a\ntraining: null", ["training.epochs=3"], Root(name="a", training=Training(epochs=3))),
    ("name: a\nextra: {type: momentum, learning_rate: 1}", ["extra.schedule={type: adam}"],
     Root(name="a", extra=Momentum(learning_rate=1, schedule=Adam()))),
    ("name: a\nrules: [adam, adam]", ["rules.1.beta1=0"], Root(name="a", rules=(Adam(), Adam(beta1=0)))),
    ("name: a", ["rules=[adam, {type: adam, beta1: 0}]"], Root(name="a", rules=(Adam(), Adam(beta1=0)))),
    ("name: a\ntraining: {target: a}", ["training.target=[b, no]"],
     Root(name="a", training=Training(target=("b", "no")))),
    ("name: a\ntraining: {target: a}", ["training.target=x=y"], Root(name="a", training=Training(target="x=y"))),
    ("name: a\ntraining: {weights: {0: 1}}", ["training.weights.0=2", "training.weights.1=3"],
     Root(name="a", training=Training(weights={0: 2, 1: 3}))),
    ("name: a\ntraining: &t {epochs: 3, phases: [{epochs: 1}]}", ["training.phases.0.batch_size=full"],
     Root(name="a", training=Training(epochs=3, phases=(Training(epochs=1, batch_size="full"),)))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "overrides", "expected"), OVERRIDES)
def test_overrides_beat_the_file(
    load: Callable[..., Loaded[Any]], text: str, overrides: Sequence[str], expected: Root
) -> None:
    assert load(text, *overrides).spec == expected


PROBLEMS = parse((Path(__file__).parent / "problems.yaml").read_text("utf-8"), "problems.yaml").data


@pytest.mark.parametrize("problem", PROBLEMS, ids=[problem["says"].split("\n")[0] for problem in PROBLEMS])
def test_problems_are_told_with_place_and_remedy(load: Callable[..., Loaded[Any]], problem: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(problem["file"], *problem.get("set", []))
    assert str(caught.value) == problem["says"].rstrip("\n")


def test_what_is_not_an_experiment_file(load: Callable[..., Loaded[Any]]) -> None:
    with pytest.raises(ConfigError, match=r"^f.yaml:2: found bytes that are not UTF-8 text; save the file as UTF-8$"):
        load(b"name: a\nx: \xff")
    with pytest.raises(ConfigError, match=r"^f.yaml: is larger than 2 MB; an experiment file is a page. Is it data\?$"):
        load(b"x" * 3_000_000)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").write_text("name: a")
    for path, words in [
        ("digts.yaml", "there is no such file; did you mean 'digits.yaml'"),
        ("none/digits.yaml", "there is no directory"),
        ("", "is a directory"),
    ]:
        with pytest.raises(ConfigError, match=words):
            load_experiment(tmp_path / path, [], Root)
