"""Text as sequences of tokens, against vocabularies by hand."""

import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nnctl.data.inputs import AnyFitted
from nnctl.data.inputs.text import FittedText, Ngrams, Text, split
from nnctl.data.preprocess import Preprocess
from nnctl.errors import DataError
from tests.data.tables import table

ROWS = ["The cat sat.", "the dog", None, "A cat, a cat!", "unseen words"]


def fitted(rows: int = 4, **options: Any) -> FittedText:
    text = Text(column="t", **options)
    return text.fitted(text.read(table(t=ROWS)), np.arange(rows), Preprocess(), {})


def test_words() -> None:
    assert split("It's 3.5 m, naïve – isn't it?", "word", lowercase=True) == [
        "it's", "3", ".", "5", "m", ",", "naïve", "–", "isn't", "it", "?",
    ]  # fmt: skip
    assert split("Ab c", "char", lowercase=False) == ["A", "b", " ", "c"]
    assert split(None, "word", lowercase=True) == split("  ", "word", lowercase=True) == []
    # e and its accent, written as one character or as two
    assert split("caf\u00e9", "char", lowercase=True) == split("cafe\u0301", "char", lowercase=True)


def test_bytes() -> None:
    """Two bytes of UTF-8 for the first letter, three for the second, one for the last."""
    assert [ord(token) for token in split("é€a", "byte", lowercase=True)] == [0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0x61]


def test_ngrams_of_words_in_buckets() -> None:
    """The example of the paper, section 3.2: where, n = 3."""
    grams = ["<wh", "whe", "her", "ere", "re>"]
    expected = [str(zlib.crc32(gram.encode()) % 1000) for gram in grams]
    assert split("where", Ngrams(ngrams=(3, 3), buckets=1000), lowercase=True) == expected
    longer = split("Where where", Ngrams(ngrams=(3, 4), buckets=1000), lowercase=True)
    assert longer[:5] == expected
    assert len(longer) == 2 * (5 + 4)
    assert split("a", Ngrams(ngrams=(4, 6)), lowercase=True) == []
    assert set(split("any words there are", Ngrams(ngrams=(1, 3), buckets=2), lowercase=True)) == {"0", "1"}
    with pytest.raises(ValueError, match=r"ngrams: \[4, 3\] has the longest first; write \[3, 4\]"):
        Ngrams(ngrams=(4, 3))


def test_a_bucket_that_training_does_not_fill_is_unknown() -> None:
    text = fitted(rows=2, tokens=Ngrams(ngrams=(3, 3)))
    assert text.encoded("cats").tolist()[:2] == text.encoded("cat").tolist()[:2]
    assert 0 not in text.encoded("cat")
    assert text.encoded("xyz").tolist() == [0, 0, 0]


def test_either_end_is_kept() -> None:
    whole = fitted().encoded(ROWS[0])
    for n in (1, 3, 4, 9):
        assert fitted(length=n, keep="first").encoded(ROWS[0]).size == min(n, 4)
        last = fitted(length=n, keep="last")
        words = [last.vocabulary[i - 1] for i in last.encoded(ROWS[0]) if i]
        assert words == ["the", "cat", "sat", "."][-n:], "the vocabulary is of what is kept"
    assert whole.size == 4
    assert fitted(rows=1, length=1, keep="last").vocabulary == (".",)


def test_the_most_frequent_tokens_of_the_training_rows_come_first() -> None:
    assert fitted().vocabulary == ("cat", "a", "the", "!", ",", ".", "dog", "sat")
    assert fitted(min_count=2).vocabulary == ("cat", "a", "the")
    assert fitted(size=3).vocabulary == ("cat", "a"), "the unknown one is the third"
    assert fitted(rows=2).vocabulary == ("the", ".", "cat", "dog", "sat")
    with pytest.raises(DataError, match="'t' has no token 9 times in the training split"):
        fitted(min_count=9)


def test_sequences_lie_one_after_another_without_padding() -> None:
    text = fitted(min_count=2)
    sequences = text.inputs(table(t=ROWS), np.float32)
    assert sequences.lengths.tolist() == [4, 2, 0, 6, 2]
    assert sequences.values.tolist() == [3, 1, 0, 0, 3, 0, 2, 1, 0, 2, 1, 0, 0, 0]
    assert sequences.values.dtype == np.int64
    assert (text.signal.shape, text.signal.tokens, text.signal.steps) == ((), 4, 3)
    assert fitted(length=2).inputs(table(t=ROWS), np.float32).lengths.tolist() == [2, 2, 0, 2, 2]


def test_some_rows_are_what_all_rows_have_there() -> None:
    text = fitted()
    values = text.read(table(t=ROWS))
    feed = text.feed(values, np.array([3, 0, 2]), np.float32)
    assert feed.take(np.array([2, 0]), np.float32).lengths.tolist() == [0, 6]
    again = feed.subset(np.array([1])).take(slice(None), np.float32)
    np.testing.assert_array_equal(again.values, text.encoded(ROWS[0]))


@given(
    st.lists(st.text(max_size=8) | st.none(), min_size=1, max_size=5),
    st.sampled_from(["word", "char", "byte", Ngrams(ngrams=(2, 3))]),
)
def test_decoded_again_where_every_token_is_known(rows: list[str | None], unit: Any) -> None:
    text = Text(column="t", tokens=unit)
    values = np.array([*rows, "x"], object)
    made = text.fitted(values, np.arange(len(values)), Preprocess(), {})
    for row in rows:
        assert [made.vocabulary[i - 1] for i in made.encoded(row)] == split(row, unit, lowercase=True)


def test_json_round_trip() -> None:
    again: Any = TypeAdapter(AnyFitted).validate_python(json.loads(fitted().model_dump_json()))
    assert again == fitted()
    ngrams = fitted(tokens=Ngrams(ngrams=(2, 3), buckets=50), length=4, keep="last")
    assert TypeAdapter[Any](AnyFitted).validate_python(json.loads(ngrams.model_dump_json())) == ngrams
    np.testing.assert_array_equal(again.encoded("the cat"), [3, 1])
