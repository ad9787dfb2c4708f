"""A model file of version 1, written before inputs and outputs had names, is read as it was then."""

import re
from pathlib import Path

import pytest

from tests.process import nnctl

FOLDER = Path(__file__).parent.parent / "reference" / "version_1"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (("predict", "model.safetensors", "--data", "new.csv"), "predictions.csv"),
        (("eval", "model.safetensors"), "evaluation.txt"),
    ],
)
def test_what_commands_say_of_a_model_of_version_1(command: tuple[str, ...], file: str) -> None:
    """Apart from the last digits, which another processor may have others of."""
    words = NUMBER.split(nnctl(*command, cwd=FOLDER).stdout)
    numbers = NUMBER.findall(nnctl(*command, cwd=FOLDER).stdout)
    expected = (FOLDER / file).read_text().replace("model: test", "model.safetensors: test")
    assert [word.split() for word in words] == [word.split() for word in NUMBER.split(expected)]
    assert list(map(float, numbers)) == pytest.approx(list(map(float, NUMBER.findall(expected))), rel=1e-4)
