"""Names that are not there: what is meant, and what there is."""

import pytest

from nnctl.names import MOST, did_you_mean, listed, nearest, unknown

COLUMNS = ("price", "sold", "Year")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("pric", "price"), ("PRICE", "price"), ("year", "Year"), ("yaer", "Year"), ("colour", None), ("", None)],
)
def test_the_name_that_is_meant(name: str, meant: str | None) -> None:
    assert nearest(name, COLUMNS) == meant
    assert did_you_mean(name, COLUMNS) == (f"; did you mean {meant!r}?" if meant else "")


def test_capitals_matter_less_than_letters() -> None:
    assert nearest("ID", ("IDs", "id")) == "id"


@pytest.mark.parametrize(
    ("names", "allowed", "said"),
    [
        ("pric", COLUMNS, "no column 'pric'; did you mean 'price'? There are price, sold, Year"),
        ("colour", COLUMNS, "no column 'colour'; there are price, sold, Year"),
        (["colour"], COLUMNS[:1], "no column 'colour'; there is price"),
        ("colour", (), "no column 'colour'; there is none"),
        (
            ["pric", "colour"],
            COLUMNS,
            "no columns 'pric' (did you mean 'price'?), 'colour'; there are price, sold, Year",
        ),
        ("c7", [f"c{n}0" for n in range(MOST + 1)], "no column 'c7'; did you mean 'c70'?"),
    ],
)
def test_every_wrong_name_is_told(names: str | list[str], allowed: tuple[str, ...], said: str) -> None:
    assert unknown("column", names, allowed) == said


def test_a_noun_with_a_plural_of_its_own() -> None:
    assert unknown("class", ["a", "b"], ["x"], "classes") == "no classes 'a', 'b'; there is x"


def test_a_long_list_is_cut() -> None:
    assert listed("abcd", most=2) == "a, b, ..."
