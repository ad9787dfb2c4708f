"""A column of text as sequences of tokens."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zlib import crc32

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field, model_validator

from nnctl.data.inputs.base import Feed, FittedInput, Input, table_of
from nnctl.data.preprocess import Kind, Preprocess
from nnctl.data.report import Problem
from nnctl.data.sources import Arrays
from nnctl.data.tables import Table
from nnctl.data.targets import Truth
from nnctl.data.watching import Finding, TokenWatch, Watch
from nnctl.engine.graph import Signal
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.sequences import Sequences
from nnctl.errors import ConfigError, DataError
from nnctl.spec import Listed, Spec

#: A word with the apostrophes inside it, or any other character that is no space.
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
End = Literal["first", "last"]
Length = Annotated[int, Field(ge=1)]


class Ngrams(Spec):
    """The n-grams of each word's characters, hashed into buckets.

    A word with a mark at either end, `<word>`, has its n-grams of every length from a to b as tokens, shorter ones
    first: words that are spelled alike share tokens, misspelled and unknown ones too. The token is the bucket that an
    n-gram's CRC-32 falls into, so that there are no more than so many, whatever the language; a few n-grams share one.

    Source: Bojanowski, Grave, Joulin and Mikolov, "Enriching word vectors with subword information", TACL 5 (2017).

    ```yaml
    {ngrams: [3, 5], buckets: 20000}
    ```
    """

    ngrams: Annotated[tuple[Length, Length], Listed] = Field(
        description="The shortest and the longest, in characters with the marks."
    )
    buckets: int = Field(20_000, ge=1, description="The most different tokens.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ngrams[0] > self.ngrams[1]:
            a, b = self.ngrams
            raise ValueError(f"ngrams: {[a, b]} has the longest first; write [{b}, {a}]")
        return self

    def of(self, word: str) -> list[str]:
        """The buckets of a word's n-grams, as text."""
        marked, (shortest, longest) = f"<{word}>", self.ngrams
        grams = [marked[i : i + n] for n in range(shortest, longest + 1) for i in range(len(marked) - n + 1)]
        return [str(crc32(gram.encode()) % self.buckets) for gram in grams]


Unit = Literal["word", "char", "byte"] | Ngrams


class Text(Input):
    r"""A column of text as a sequence of tokens: whole numbers, of which each stands for a word, a character or a byte.

    A word is a run of letters, digits and apostrophes between them, and so is every other character that is no space.
    A byte is one of UTF-8: 256 are enough for every language. Words can be cut into n-grams: `{ngrams: [3, 5]}`.
    Text is brought to one form of each character first (Unicode's NFC), and to lower case. The vocabulary is taken
    from the training split alone, the most frequent tokens first, of equal ones in the order of their spelling; 0
    stands for every token that is not in it. An empty cell is a sequence without tokens. Nothing is padded: a batch
    holds its sequences one after another, with their lengths.

    ```yaml
    {type: text, column: description, tokens: word, min_count: 2, length: 200}
    ```
    """

    type: Literal["text"] = "text"
    column: str = Field(description="The column of text.")
    tokens: Unit = Field("word", description="What a token is: a word, a character, a byte, or an n-gram of a word.")
    lowercase: bool = Field(True, description="Whether large and small letters are the same.")
    min_count: int = Field(1, ge=1, description="A token that training has less often is unknown.")
    size: int | None = Field(
        None, ge=2, description="The most different tokens, the unknown one among them; left out, all."
    )
    length: int | None = Field(None, ge=1, description="The most tokens of an example.")
    keep: End = Field("first", description="The end that stays of an example with more than `length` tokens.")

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        return {"column": (self.column,)}

    def read(self, data: Table | Arrays, left_out: dict[int, str] | None = None) -> Array:
        if isinstance(data, Table):
            return texts(data, self.column)
        raise ConfigError(f"names a column, and {data.name} is an array, which has none")

    def fitted(self, values: Array, rows: Array, prepare: Preprocess, kinds: Mapping[str, Kind]) -> FittedText:
        cut = [
            shortened(split(text, self.tokens, lowercase=self.lowercase), self.length, self.keep)
            for text in values[rows]
        ]
        counts = Counter(token for tokens in cut for token in tokens)
        frequent = sorted((token for token, n in counts.items() if n >= self.min_count), key=lambda t: (-counts[t], t))
        if not frequent:
            raise DataError(
                f"column {self.column!r} has no token {self.min_count} times in the training split; "
                "there is nothing to learn from it"
            )
        kept = tuple(frequent[: None if self.size is None else self.size - 1])
        return FittedText(
            column=self.column,
            tokens=self.tokens,
            lowercase=self.lowercase,
            length=self.length,
            keep=self.keep,
            vocabulary=kept,
            steps=max(1, -(-sum(map(len, cut)) // len(cut))),
            unknown=1 - sum(counts[token] for token in kept) / max(1, counts.total()),
        )


class FittedText(FittedInput):
    """Token i of the vocabulary is i + 1, every other 0.

    `steps` is how many a training example has on average, and `unknown` the share of tokens that the vocabulary lacks.
    """

    type: Literal["text"] = "text"
    column: str
    tokens: Unit
    lowercase: bool
    length: int | None
    keep: End = "first"
    vocabulary: Annotated[tuple[str, ...], Listed]
    steps: int
    unknown: float | None = None

    @property
    def shape(self) -> Shape:
        return ()

    @property
    def signal(self) -> Signal:
        return Signal((), steps=self.steps, tokens=len(self.vocabulary) + 1)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each token."""
        return {token: i for i, token in enumerate(self.vocabulary, 1)}

    def read(self, data: Table | Arrays) -> Array:
        table = table_of(data)
        table.require((self.column,))
        return texts(table, self.column)

    def feed(self, values: Array, rows: Array, dtype: DTypeLike, unseen: Literal["other"] | None = None) -> Feed:
        return Feed(self, Sequences.of([self.encoded(text) for text in values[rows]]))

    def encode(self, values: Array, rows: slice, dtype: DTypeLike) -> Sequences:
        return Sequences.of([self.encoded(text) for text in values[rows]])

    def encoded(self, text: str | None) -> Array:
        """The numbers of a text's tokens, (length,)."""
        tokens = shortened(split(text, self.tokens, lowercase=self.lowercase), self.length, self.keep)
        return np.array([self.numbers.get(token, 0) for token in tokens], np.int64)

    def gather(self, values: Sequences, rows: Array | slice) -> Sequences:
        return values[rows]

    def transform(self, values: Sequences, dtype: DTypeLike) -> Sequences:
        return values

    def missing(self, values: Array) -> dict[str, int]:
        empty = sum(text is None for text in values)
        return {self.column: empty} if empty else {}

    def watch(self) -> Watch:
        return Watch() if self.unknown is None else TextWatch(self)

    def problems(self, values: Array, rows: Array, truths: Sequence[Truth]) -> list[Problem]:
        if any(self.encoded(text).size for text in values[rows]):
            return []
        message = f"column {self.column!r} has no text in the training split"
        return [Problem("empty", message, self.column)]

    def hashes(self, values: Array, rows: Array) -> Array:
        return np.array([hash(text) for text in values[rows]], np.int64)


class TextWatch(Watch):
    """The tokens of new texts."""

    def __init__(self, fitted: FittedText) -> None:
        self.fitted, self.tokens = fitted, TokenWatch(fitted.column, fitted.unknown or 0.0)

    def add(self, values: Array, rows: slice, place: Callable[[int], str]) -> None:
        self.tokens.add([self.fitted.encoded(text) for text in values[rows]])

    def findings(self) -> list[Finding]:
        return self.tokens.findings()


def texts(table: Table, column: str) -> Array:
    """The cells of a column as text (rows,), empty ones as None."""
    import polars as pl

    found: list[Any] = table[column].cast(pl.String).to_list()
    return np.array(found, object)


def split(text: str | None, unit: Unit, *, lowercase: bool) -> list[str]:
    """The tokens of a text."""
    whole = unicodedata.normalize("NFC", text or "")
    if lowercase:
        whole = whole.lower()
    if unit == "char":
        return list(whole)
    if unit == "byte":  # each is written as the character of its number
        return list(whole.encode("utf-8", "surrogatepass").decode("latin-1"))
    words: list[str] = WORD.findall(whole)
    return words if unit == "word" else [token for word in words for token in unit.of(word)]


def shortened(tokens: list[str], length: int | None, keep: End) -> list[str]:
    """At most so many tokens, from either end."""
    if length is None or keep == "first":
        return tokens[:length]
    return tokens[-length:]
