"""A new layer, loss and input kind, each its class in a file and its name in the union, work in every command.

The package is copied to a folder of its own, and the members are added as CONTRIBUTING.md says.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process import ROOT, nnctl

LAYER = '''\
"""A layer of a test."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.layer import Gives, Layer
from nnctl.engine.parameters import Array, Views
from nnctl.engine.slot import Slot


class Square(Layer):
    """Y = X^2, dX = 2 X dY."""

    type: Literal["square"] = "square"
    gives: ClassVar[Gives] = "changed"

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["x"] = x
        return np.multiply(x, x, out=slot.buffer("y", x.shape))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        return 2 * slot["x"] * dy
'''

LOSS = '''\
"""A loss of a test."""

from typing import ClassVar, Literal

from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import ElementLoss, Tasks


class FourthPower(ElementLoss):
    """L = 1/k sum_j (y_j - t_j)^4."""

    type: Literal["fourth_power"] = "fourth_power"
    tasks: ClassVar[Tasks] = ("regression",)

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        slot["error"] = y - t
        return slot["error"] ** 4

    def slope(self, slot: Slot) -> Array:
        return 4 * slot["error"] ** 3
'''

INPUT = '''\
"""An input of a test: how long a text is, and how many vowels it has."""

from typing import Any, Literal

import numpy as np

from nnctl.data.inputs.base import FittedInput, Input, table_of


class Size(Input):
    """Two numbers of a text."""

    type: Literal["size"] = "size"
    column: str

    @property
    def reads(self) -> Any:
        return {"column": (self.column,)}

    def read(self, data: Any, left_out: Any = None) -> Any:
        return measured(data, self.column)

    def fitted(self, values: Any, rows: Any, prepare: Any, kinds: Any) -> Any:
        return FittedSize(column=self.column, largest=float(values[rows].max()))


class FittedSize(FittedInput):
    """The same, over the largest of them in training."""

    type: Literal["size"] = "size"
    column: str
    largest: float

    @property
    def shape(self) -> tuple[int, ...]:
        return (2,)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def read(self, data: Any) -> Any:
        return measured(data, self.column)

    def transform(self, values: Any, dtype: Any) -> Any:
        return (values / self.largest).astype(dtype)

    def hashes(self, values: Any, rows: Any) -> Any:
        return np.array([hash(row.tobytes()) for row in values[rows]])


def measured(data: Any, column: str) -> Any:
    """(length, vowels) of every text."""
    texts = table_of(data).frame[column].to_list()
    return np.array([(len(text), sum(letter in "aeiou" for letter in text)) for text in texts], np.float64)
'''

#: By the folder of the union: the file of the member, its text, the name of its class, and a member beside it.
MEMBERS = [
    ("layers", "square", LAYER, "Square", "Dense"),
    ("losses", "fourth_power", LOSS, "FourthPower", "CrossEntropy"),
    ("data/inputs", "size", INPUT, "Size", "Columns"),
    ("data/inputs", "size", INPUT, "FittedSize", "FittedColumns"),
]

EXPERIMENT = """\
name: new
data:
  source: {type: csv, path: words.csv}
  inputs:
    word: {type: size, column: word}
    facts: {columns: [a]}
  target: y
  split: {validation: 0.2, test: 0.2}
model: {layers: [{dense: 3}, square]}
loss: fourth_power
training: {epochs: 3, batch_size: 8}
"""
Run = Callable[..., str]


def add(package: Path, folder: str, file: str, text: str, name: str, beside: str) -> None:
    """Write a member's file, and its import and name beside another one in the union."""
    (package / folder / f"{file}.py").write_text(text)
    union = package / folder / "__init__.py"
    written = union.read_text()
    module = f"nnctl.{folder.replace('/', '.')}.{file}"
    at = written.index("from nnctl.")
    imports, definitions = written[at:].split("\n\n", 1)
    assert f"{beside}\n    |" in definitions or f"{beside} |" in definitions
    definitions = definitions.replace(f"{beside}\n    |", f"{beside} | {name}\n    |", 1)
    definitions = definitions.replace(f"[{beside} |", f"[{beside} | {name} |", 1)
    union.write_text(f"{written[:at]}{imports}\nfrom {module} import {name}\n\n{definitions}")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs a command of the package with the new members, and gives its standard output."""
    folder = tmp_path_factory.mktemp("new")
    shutil.copytree(ROOT / "nnctl", folder / "nnctl", ignore=shutil.ignore_patterns("__pycache__"))
    for member in MEMBERS:
        add(folder / "nnctl", *member)
    words = [word * times for word in ("a", "be", "sky", "tree", "ouija") for times in range(1, 9)]
    rows = "".join(f"{word},{i % 7},{len(word) ** 2}\n" for i, word in enumerate(words))
    (folder / "words.csv").write_text(f"word,a,y\n{rows}")
    (folder / "new.yaml").write_text(EXPERIMENT)

    def run(*arguments: str) -> str:
        return nnctl(*arguments, cwd=folder, PYTHONPATH=str(folder)).stdout

    yield run


@pytest.fixture(scope="module")
def trained(run: Run) -> str:
    return run("train", "new.yaml").strip()


def test_it_is_checked(run: Run) -> None:
    shown = run("check", "new.yaml")
    assert "square1  square" in shown
    assert "loss: fourth_power" in shown


def test_its_gradients_are_checked(run: Run) -> None:
    assert "passed" in run("gradcheck", "new.yaml")


def test_it_is_explained(run: Run) -> None:
    assert "The same example, again and again" in run("explain", "new.yaml")


def test_it_is_evaluated(run: Run, trained: str) -> None:
    assert "rmse" in json.loads(run("eval", trained, "--json"))["metrics"]


def test_it_predicts_from_the_model_file_alone(run: Run, trained: str) -> None:
    lines = run("predict", f"{trained}/model.safetensors", "--data", "words.csv").splitlines()
    assert len(lines) >= 40


@pytest.mark.parametrize("what", ["curves", "weights", "activations"])
def test_it_is_drawn(run: Run, trained: str, what: str) -> None:
    pytest.importorskip("matplotlib")
    assert run("plot", trained, "--what", what).strip() == f"new-0001-{what}.png"


def test_the_schema_knows_it(run: Run) -> None:
    schema = run("schema")
    assert all(f'"const": "{kind}"' in schema for kind in ("square", "fourth_power", "size"))
