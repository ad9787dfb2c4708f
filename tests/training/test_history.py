"""A row and its line in metrics.jsonl."""

import json

from hypothesis import given
from hypothesis import strategies as st

from nnctl.training.history import EpochRow

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
FIGURES = NUMBERS | st.none()
NAMES = st.sampled_from(["loss", "price.mae", "dense1", "block.relu1"])
ROWS = st.builds(
    EpochRow,
    epoch=st.integers(1, 9),
    step=st.integers(0, 9),
    learning_rate=NUMBERS,
    restart=st.none() | st.integers(1, 3),
    seconds=NUMBERS,
    examples_per_second=NUMBERS,
    figures=st.dictionaries(st.builds("{}.{}".format, st.sampled_from(["train", "validation"]), NAMES), FIGURES),
    penalty=FIGURES,
    gradient_norm=NUMBERS,
    shares=st.dictionaries(NAMES, FIGURES),
    layers=st.dictionaries(NAMES, st.dictionaries(NAMES, FIGURES)),
)


@given(ROWS)
def test_a_line_is_read_as_the_row_it_was_written_from(row: EpochRow) -> None:
    assert EpochRow.of_json(json.loads(json.dumps(row.as_json()))) == row


def test_the_keys_of_a_line() -> None:
    row = EpochRow(
        2, 9, 0.5, 1, 2.0, 3.0, {"train.loss": 1.0, "validation.loss": 2.0}, 0.1, 4.0, {"price": 0.5}, {"dense1": {}}
    )
    assert list(row.as_json().items()) == [
        ("epoch", 2), ("step", 9), ("learning_rate", 0.5), ("restart", 1), ("seconds", 2.0),
        ("examples_per_second", 3.0), ("train.loss", 1.0), ("validation.loss", 2.0), ("penalty", 0.1),
        ("gradient_norm", 4.0), ("gradient_share.price", 0.5), ("layers", {"dense1": {}}),
    ]  # fmt: skip
    assert {"restart", "penalty"}.isdisjoint(EpochRow(1).as_json())


def test_what_other_versions_write() -> None:
    line = {"epoch": 3, "train.loss": None, "something": [1], "layers": None}
    assert EpochRow.of_json(line) == EpochRow(3, figures={"train.loss": None})
