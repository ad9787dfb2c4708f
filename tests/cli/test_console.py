"""Who gets what: results on standard output, the rest on standard error, colour and motion on terminals."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnctl.cli._console import Console, aligned, plain
from nnctl.cli._display import clock, figure
from nnctl.training.history import EpochRow


@pytest.fixture
def console() -> Console:
    return Console()


def test_results_and_messages(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    console.result("a path")
    console.note("n")
    console.warn("w")
    console.error("e")
    assert capsys.readouterr() == ("a path\n", "n\nwarning: w\nerror: e\n")
    console.quiet = True
    console.result("a path")
    console.note("n")
    console.warn("w")
    console.error("e")
    with console.progress() as display:
        display.epoch(EpochRow(1))
    assert capsys.readouterr() == ("a path\n", "error: e\n")


def test_json_is_json(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    console.json({
        "b": np.float32(0.5), "a": [np.int64(3), float("nan"), float("-inf"), None, True],
        "array": np.eye(2), "path": Path("a/b"), 3: ("é", np.bool_(False)), "nan": np.float64("nan"),
    })  # fmt: skip
    text = capsys.readouterr().out
    assert json.loads(text) == {
        "b": 0.5, "a": [3, None, None, None, True], "array": [[1, 0], [0, 1]], "path": "a/b", "3": ["é", False],
        "nan": None,
    }  # fmt: skip
    assert list(json.loads(text)) == ["b", "a", "array", "path", "3", "nan"]
    with pytest.raises(TypeError, match="set has no form in JSON"):
        plain({"a": {1}})


def test_a_piped_table_is_aligned_text(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["name", "value", "at"], [["[a]", 1.5, 3], ["longer name", None, 12]], title="T")
    assert capsys.readouterr().out == "T\nname         value  at\n[a]            1.5   3\nlonger name      -  12\n"
    assert aligned([["only", "head"]], [False, True]) == "only  head"


ROW = EpochRow(
    3, 9, 0.003, examples_per_second=12345.6, seconds=1.0, gradient_norm=2.0,
    figures={"train.loss": 0.51234, "train.accuracy": 1.0, "validation.loss": float("nan")},
)  # fmt: skip
BEST = EpochRow(2, figures={"validation.loss": 0.4})


def test_a_line_an_epoch_where_there_is_no_terminal(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("title") as display:
        display.batch(3, 60, 1, 2, 0.5, 0.003, 100.0)
        display.batch(3, 60, 2, 2, 0.5, 0.003, 100.0)
        display.epoch(ROW, BEST)
    assert capsys.readouterr() == (
        "",
        "epoch 3/60  train.loss 0.5123  train.accuracy 1  validation.loss nan  rate 0.003  examples/s 12346  best 2\n",
    )


def test_figures_and_times() -> None:
    assert [figure(value) for value in (None, 3, 0.00012345, 12345.6, 123456, -2.5)] == [
        "-", "3", "0.0001234", "12346", "123456", "-2.5",
    ]  # fmt: skip
    assert [clock(seconds) for seconds in (0, 61.4, 3723)] == ["0:00", "1:01", "1:02:03"]


TRAINING = f"""
import time
from nnctl.cli._console import console
from nnctl.training.history import EpochRow
nan = float("nan")
with console.progress("a [title]") as display:
    for step in range(1, 5):
        display.batch(3, 60, step, 4, 0.5, 0.003, 12345.6)
    display.epoch({ROW!r}, {BEST!r})
    time.sleep(0.5)
    console.warn("a [message]")
    console.result("a result")
    time.sleep(0.5)
console.error("an error")
"""
TABLE = """
from nnctl.cli._console import console
console.table(["tensor", "error"], [["[b]", 0.25], ["c", None]], title="A title")
"""


def on_a_terminal(program: str, output: int | None = subprocess.PIPE, **environment: str) -> tuple[str, str | None]:
    """What a program shows on the terminal that is its standard error, and its standard output."""
    terminal, its_end = pty.openpty()
    settings = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **environment}
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=its_end if output is None else output,
        stderr=its_end,
        text=True,
        env={**os.environ, **settings},
    )
    os.close(its_end)
    shown = b"".join(iter(lambda: read(terminal), b"")).decode()
    os.close(terminal)
    written, _ = process.communicate()
    assert process.returncode == 0, shown
    return shown, written


def read(terminal: int) -> bytes:
    """What the terminal shows next; nothing when its program has ended."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says that the other side has closed with an error
        return b""


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")
MOTION = re.compile(r"\x1b\[[0-9;?]*[A-HJKlh]")


def test_the_live_display() -> None:
    shown, output = on_a_terminal(TRAINING)
    assert output == "a result\n", "nothing of the display is in the result"
    assert COLOUR.search(shown)
    assert MOTION.search(shown)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    for words in (
        "a [title]",
        "epoch 3/60",
        "batch 4/4",
        "left",
        "12,346 examples/s",
        "loss 0.5",
        "learning rate 0.003",
    ):
        assert words in text
    assert re.search(r"loss +0\.5123 +nan +0\.4", text)
    assert re.search(r"accuracy +1 +- +-", text)
    assert "best: epoch 2" in text
    assert "warning: a [message]" in text
    assert re.search(r"\x1b\[2K(\x1b\[[0-9;]*m)*warning:", shown), "the display makes way for a message"
    assert max(len(line.rpartition("\r")[2]) for line in text.split("\r\n")) <= 80


def test_no_color_and_dumb_terminals() -> None:
    shown, _ = on_a_terminal(TRAINING, NO_COLOR="1")
    assert MOTION.search(shown)
    assert not COLOUR.search(shown)
    shown, _ = on_a_terminal(TRAINING, TERM="dumb")
    assert "\x1b" not in shown
    assert shown.startswith("epoch 3/60  train.loss 0.5123")


def test_a_table_on_a_terminal() -> None:
    shown, _ = on_a_terminal(TABLE, output=None)
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines() if line.strip()]
    assert lines == ["A title", "  tensor   error", " ────────────────", "  [b]       0.25", "  c            -"]
