"""Files that are the same every time, in the same style everywhere."""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from nnctl.errors import ConfigError
from nnctl.plot.canvas import new_figure, save, styled


def drawn(path: Path, title: str = "a title", warn: Any = pytest.fail) -> bytes:
    with styled():
        figure = new_figure(4, 3, title)
        figure.add_subplot().plot([1, 2], [3, 4], label="b")
        figure.axes[0].set_yscale("log")
        save(figure, path, 100, warn)
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["png", "svg", "PNG"])
def test_the_same_figure_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    first = drawn(tmp_path / f"a.{ending}")
    monkeypatch.setitem(mpl.rcParams, "xtick.labelsize", 30)  # somebody's own settings
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    second = drawn(tmp_path / f"b.{ending}")
    assert first == second
    assert mpl.rcParams["xtick.labelsize"] == 30
    for telltale in (b"date", b"Software", b"Matplotlib v", b"matplotlib version"):
        assert telltale not in first


def test_a_dollar_is_a_dollar(tmp_path: Path) -> None:
    assert drawn(tmp_path / "a.png", "$x$") != drawn(tmp_path / "b.png", "x")
    drawn(tmp_path / "c.png", r"$\nothing$")


def test_letters_that_the_font_lacks_are_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    drawn(tmp_path / "a.png", "日本", told.append)
    assert told == [f"{tmp_path}/a.png: some letters are drawn as boxes, for Matplotlib's font does not have them"]


@pytest.mark.parametrize("name", ["a.pdf", "a", "png", "a.png.txt"])
def test_other_endings(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"plots are written as \.png or \.svg"):
        drawn(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(ConfigError, match=r"not installed here: pip install 'nnctl\[plot\]'"), styled():
        pass
