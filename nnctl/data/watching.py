"""New data beside what training had: what differs, counted batch by batch in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.names import nearest
from nnctl.spec import Spec

if TYPE_CHECKING:
    from nnctl.data.tables import Table

Kind = Literal["unseen", "missing", "range", "unknown_tokens", "classes"]

#: A number is far out where it lies more than so many widths of the training range outside; outliers and the luck of
#: the split put single ones nearer.
BEYOND = 1.0
#: Rows a little outside the range are told of where they are more than this share, and more than a few.
OUTSIDE, FEW = 0.05, 5
#: Two shares differ where it is by so much, and by so many standard deviations of what chance gives.
SHARE, DEVIATIONS = 0.02, 4.0
#: The share of unknown tokens, and of a class among the predictions, may differ by this much.
TOKENS, CLASSES = 0.2, 0.1
#: Different words are remembered up to this many, and named up to a few.
MOST_WORDS, NAMED = 1000, 3


class Seen(Spec):
    """What training had of a column: its rows, how many of them had no value, and the range of its numbers."""

    rows: int
    missing: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Finding:
    """One way in which new data differ from the training data.

    Attributes:
        kind: `unseen` categories, another share of `missing` values, numbers out of `range`, `unknown_tokens`, or
            another share of `classes` among the predictions.
        column: of the data; the output, where it is about predictions.
        rows: how many it is about, or tokens.
        share: of all rows, or tokens.
        training: the same share in training, or the range there; None where there is no such thing.
        examples: values, the most frequent or the farthest first.
        message: all of it as a sentence.
    """

    kind: Kind
    column: str
    rows: int
    share: float
    training: float | tuple[float, float] | None
    examples: tuple[str, ...]
    message: str

    def as_json(self) -> dict[str, Any]:
        """The same for `--report`."""
        training = list(self.training) if isinstance(self.training, tuple) else self.training
        return {**vars(self), "training": training, "examples": list(self.examples)}


class ColumnWatch(Protocol):
    """Looks at one column of a table batch by batch."""

    def add(self, table: Table, place: Callable[[int], str]) -> None:
        """Take in some rows; `place` says where one stands in its file."""

    def findings(self) -> list[Finding]:
        """What differs from training."""


class Watch:
    """Looks at one input batch by batch; this one sees nothing worth telling."""

    def add(self, values: Any, rows: slice, place: Callable[[int], str]) -> None:
        """Take in some rows of raw values; `place` says where one stands in its file."""

    def findings(self) -> list[Finding]:
        """What differs from training."""
        return []


@dataclass
class NumberWatch:
    """A column of numbers."""

    column: str
    seen: Seen
    rows: int = 0
    missing: int = 0
    outside: int = 0
    far: int = 0
    farthest: tuple[float, float, str] = (0.0, 0.0, "")

    def add(self, table: Table, place: Callable[[int], str]) -> None:
        """Take in some rows."""
        from nnctl.data.columns import finite_numbers

        x = finite_numbers(table, self.column)
        self.rows += len(x)
        low, high = self.seen.low, self.seen.high
        gone = np.isnan(x)
        self.missing += int(gone.sum())
        if low is None or high is None:
            return
        beyond = np.maximum(low - x, x - high)  # how far outside, at most 0 inside
        beyond[gone] = -1
        if not len(x) or beyond.max() <= 0:
            return
        self.outside += int((beyond > 0).sum())
        self.far += int((beyond > BEYOND * (high - low)).sum())
        row = int(beyond.argmax())
        if beyond[row] > self.farthest[0]:
            self.farthest = float(beyond[row]), float(x[row]), place(row)

    def findings(self) -> list[Finding]:
        """Numbers out of range, and another share of missing ones."""
        found = missing_differs(self.column, self.rows, self.missing, self.seen)
        many = self.outside > FEW and self.outside > OUTSIDE * self.rows
        if (self.far or many) and self.seen.low is not None and self.seen.high is not None:
            count = self.outside if many else self.far
            _, value, place = self.farthest
            low, high = self.seen.low, self.seen.high
            had = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            message = (
                f"column {self.column!r}: {of(count, self.rows)} outside of what training had, {had}; the farthest is "
                f"{value:g} ({place})"
            )
            found.append(Finding("range", self.column, count, count / self.rows, (low, high), (f"{value:g}",), message))
        return found


@dataclass
class CategoryWatch:
    """A column of categories."""

    column: str
    seen: Seen
    categories: tuple[str, ...]
    rows: int = 0
    missing: int = 0
    unseen: int = 0
    words: Counter[str] = field(default_factory=Counter)

    def add(self, table: Table, place: Callable[[int], str]) -> None:
        """Take in some rows."""
        from nnctl.data.columns import codes_of
        from nnctl.data.tables import as_labels

        labels = as_labels(table[self.column])
        codes = codes_of(labels, self.categories)
        self.rows += len(labels)
        absent = labels.is_null().to_numpy()
        new = (codes < 0) & ~absent
        self.missing += int(absent.sum())
        if not new.any():
            return
        self.unseen += int(new.sum())
        for word, count in labels.filter(new).value_counts().iter_rows():
            if word in self.words or len(self.words) < MOST_WORDS:
                self.words[word] += count

    def findings(self) -> list[Finding]:
        """Categories that training did not have, and another share of missing ones."""
        found = missing_differs(self.column, self.rows, self.missing, self.seen)
        if self.unseen:
            words = self.words.most_common(NAMED)
            named = ", ".join(f"{word!r} {count:,} times{self._meant(word)}" for word, count in words)
            more = ", ..." if len(self.words) > NAMED else ""
            message = (
                f"column {self.column!r}: {of(self.unseen, self.rows)} with a category that training did not have: "
                f"{named}{more}"
            )
            examples = tuple(word for word, _ in words)
            found.append(Finding("unseen", self.column, self.unseen, self.unseen / self.rows, None, examples, message))
        return found

    def _meant(self, word: str) -> str:
        close = nearest(word, self.categories)
        return f" (training has {close!r})" if close else ""


@dataclass
class TokenWatch:
    """Tokens of texts; `unknown` is the share of those in training that its vocabulary lacks."""

    column: str
    unknown: float
    tokens: int = 0
    strange: int = 0

    def add(self, numbers: Sequence[Array]) -> None:
        """Take in texts as the numbers of their tokens, 0 for an unknown one."""
        self.tokens += sum(map(len, numbers))
        self.strange += sum(int((each == 0).sum()) for each in numbers)

    def findings(self) -> list[Finding]:
        """Many more unknown tokens than in training."""
        share = self.strange / self.tokens if self.tokens else 0.0
        if share <= self.unknown + TOKENS:
            return []
        message = (
            f"column {self.column!r}: {share:.0%} of the tokens are not in the vocabulary, where in training "
            f"{self.unknown:.0%} were not; is it the same language, and cut into tokens alike?"
        )
        return [Finding("unknown_tokens", self.column, self.strange, share, self.unknown, (), message)]


@dataclass
class ClassWatch:
    """The mean probabilities of classes, which for a model that suits the data are near their shares in training."""

    output: str
    names: tuple[str, ...]
    shares: Array
    rows: int = 0
    total: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, probabilities: Array) -> None:
        """Take in predictions (n, classes)."""
        sums = probabilities.sum(axis=0, dtype=np.float64)
        self.total = sums if not self.rows else self.total + sums
        self.rows += len(probabilities)

    def findings(self) -> list[Finding]:
        """The class whose share has changed most, where that is more than chance."""
        if not self.rows:
            return []
        means = self.total / self.rows
        chance = DEVIATIONS * np.sqrt(self.shares * (1 - self.shares) / self.rows)
        excess = np.abs(means - self.shares) - chance - CLASSES
        most = int(excess.argmax())
        if excess[most] <= 0:
            return []
        name, share, before = self.names[most], float(means[most]), float(self.shares[most])
        message = (
            f"{self.output}: {name!r} has a mean probability of {share:.0%}, where {before:.0%} of the training data "
            "were of it; the new data are others, or are taken in another way"
        )
        return [Finding("classes", self.output, self.rows, share, before, (name,), message)]


def missing_differs(column: str, rows: int, missing: int, seen: Seen) -> list[Finding]:
    """Whether a column lacks values more or less often than in training, by more than chance."""
    if not rows or not seen.rows:
        return []
    share, before = missing / rows, seen.missing / seen.rows
    both = (missing + seen.missing) / (rows + seen.rows)
    chance = sqrt(both * (1 - both) * (1 / rows + 1 / seen.rows))
    if abs(share - before) <= max(SHARE, DEVIATIONS * chance):
        return []
    message = f"column {column!r}: {of(missing, rows)} without a value; in training, {before:.1%}"
    return [Finding("missing", column, missing, share, before, (), message)]


def of(count: int, rows: int) -> str:
    """How many rows of all, in words."""
    return f"{count:,} of {rows:,} rows ({count / rows:.1%})"


class ColumnsWatch(Watch):
    """The columns of a table."""

    def __init__(self, columns: Sequence[ColumnWatch]) -> None:
        self.columns = columns

    def add(self, values: Table, rows: slice, place: Callable[[int], str]) -> None:
        indices = np.arange(len(values))[rows]
        part = values if len(indices) == len(values) else values.take(indices)
        for column in self.columns:
            column.add(part, place)

    def findings(self) -> list[Finding]:
        return [finding for column in self.columns for finding in column.findings()]
