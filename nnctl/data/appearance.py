"""What columns of text would be but for a few cells, or for how their numbers are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from nnctl.data.notation import Notation
from nnctl.data.tables import Table, as_numbers

if TYPE_CHECKING:
    import polars as pl

#: So much of a column are numbers where it is taken for one of numbers: of its cells, or of its different values.
NEARLY_ALL = 0.9
#: So many different words are a few.
FEW_WORDS = 5
#: Cells of a column that are looked at to guess how its numbers are written.
LOOKED_AT = 1000
#: Words that name no category, whatever the column.
NO_WORDS = (".", "..", "...", "-", "--", "---")
#: Words for currencies that stand before a number; signs are told by what Unicode says of them.
CURRENCIES = "USD|EUR|GBP|JPY|CHF|INR|US\\$|R\\$|A\\$|C\\$|Rs\\.?|kr\\.?|Fr\\.?"
#: A number with what stands around it: a currency before it, or a unit behind it.
AROUND = (
    rf"^[-+(\u2212]?\s*(\p{{Sc}}|{CURRENCIES})?\s*[-+(\u2212]?[.,]?[0-9][0-9.,'\u2019\s]*(?:[eE][-+]?[0-9]+)?\s*"
    r"((?:[\p{L}\p{Sc}%‰°\x22″′][^0-9()]*[^0-9()\s-]|[\p{L}\p{Sc}%‰°\x22″′])[0-9²³]?)?[-)\u2212]?$"
)
#: What thousands may be written with beside each decimal sign.
SYSTEMS = ((".", None), (".", ","), (",", None), (",", "."), (".", " "), (",", " "), (".", "'"))


@dataclass(frozen=True)
class Strays:
    """A few words in a column that otherwise holds numbers.

    Attributes:
        words: the different ones, the most frequent first.
        count: the cells they stand in.
        first: the row of the first.
        numbers: how many different numbers the other cells hold.
    """

    words: tuple[str, ...]
    count: int
    first: int
    numbers: int


def strays(table: Table, name: str) -> Strays | None:
    """The words because of which a column is not one of numbers, where nearly all else in it is."""
    import polars as pl

    series = table[name]
    if series.dtype != pl.String:
        return None
    numbers = as_numbers(series, table.notation)
    odd = numbers.is_null() & series.is_not_null()
    count, present = int(odd.sum()), len(series) - series.null_count()
    if not count or count == present:
        return None
    words, distinct = series.filter(odd).n_unique(), numbers.drop_nulls().n_unique()
    few = count <= (1 - NEARLY_ALL) * present or words <= (1 - NEARLY_ALL) * (distinct + words)
    if not few or words > FEW_WORDS:
        return None
    return Strays(_by_frequency(series.filter(odd)), count, int(odd.arg_max() or 0), distinct)


def no_words(table: Table, name: str) -> Strays | None:
    """Marks such as `.` or `-` among words; they hardly are the name of something."""
    import polars as pl

    series = table[name]
    if series.dtype != pl.String:
        return None
    odd = series.is_in(list(NO_WORDS)).fill_null(value=False)
    if not odd.any() or series.drop_nulls().n_unique() < 3:
        return None
    return Strays(_by_frequency(series.filter(odd)), int(odd.sum()), int(odd.arg_max() or 0), 0)


def guessed(table: Table) -> tuple[Notation, set[str], Notation | None]:
    """The notation in which most cells of text are numbers, and none simpler has more.

    Returns:
        The notation; the columns that are numbers in it and not in the table's own; and another notation in which as
        many cells are numbers, but others, where there is one, so that the choice is a guess.
    """
    import polars as pl

    samples = {name: _sample(table[name]) for name, dtype in table.frame.schema.items() if dtype == pl.String}
    samples = {name: sample for name, sample in samples.items() if _looks_like_numbers(sample)}
    units = {name: unit for name, sample in samples.items() if (unit := _unit(sample))}
    own = table.notation
    best, scores = own, {}
    for accounting, (decimal, thousands) in product((False, True), SYSTEMS):
        notation = Notation(decimal, thousands, accounting, units)
        scores[notation.decimal, thousands, accounting] = sum(_share(s, notation) for s in samples.values())
    if not scores or not samples:
        return own, set(), None
    (decimal, thousands, accounting) = max(scores, key=scores.__getitem__)  # of equals, the first
    best = Notation(decimal, thousands, accounting, units)
    gained = {name for name in samples if not _all(table, name, own) and _all(table, name, best, NEARLY_ALL)}
    best = replace(best, units={name: unit for name, unit in units.items() if name in gained})
    return best, gained, _rival(best, scores, samples)


def _rival(best: Notation, scores: dict[Any, float], samples: dict[str, pl.Series]) -> Notation | None:
    """The other reading of `2,113`: the decimal sign is what separates thousands, and no number says which it is."""
    swapped = [("," if best.decimal == "." else ".", each) for each in (None, best.decimal)]
    score = scores[best.decimal, best.thousands, best.accounting]
    for decimal, thousands in swapped:
        if scores.get((decimal, thousands, best.accounting), -1.0) >= score:
            other = replace(best, decimal=decimal, thousands=thousands)
            if any(not numbers_equal(sample, best, other) for sample in samples.values()):
                return other
    return None


def numbers_equal(sample: pl.Series, one: Notation, other: Notation) -> bool:
    """Whether two notations read the same numbers, in every cell that is a number in both."""
    return not (as_numbers(sample, one) != as_numbers(sample, other)).any()


def _by_frequency(series: pl.Series) -> tuple[str, ...]:
    """The different values, the most frequent first, and of equally frequent ones that which comes first."""
    counts = Counter(series.to_list())
    return tuple(word for word, _ in counts.most_common())


def _sample(series: pl.Series) -> pl.Series:
    present = series.drop_nulls()
    return present.gather_every(max(1, len(present) // LOOKED_AT))


def _looks_like_numbers(sample: pl.Series) -> bool:
    return len(sample) > 0 and bool(sample.str.contains(AROUND).mean() >= NEARLY_ALL)  # type: ignore[operator]


def _unit(sample: pl.Series) -> str | None:
    """What every number of a column carries, before it or behind it."""
    around = sample.str.extract_groups(AROUND).struct.unnest()
    for marks in (around["1"], around["2"]):
        different = marks.drop_nulls().str.strip_chars().unique()
        if len(different) == 1 and marks.null_count() <= (1 - NEARLY_ALL) * len(sample):
            return str(different[0])
    return None


def _share(sample: pl.Series, notation: Notation) -> float:
    return 1 - as_numbers(sample, notation).null_count() / len(sample)


def _all(table: Table, name: str, notation: Notation, share: float = 1.0) -> bool:
    series = table[name]
    present = len(series) - series.null_count()
    return len(series) - as_numbers(series, notation).null_count() >= share * present
