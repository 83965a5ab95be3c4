"""Whole columns of texts at once, of whatever is written plainly; the rest is read value by value.

A value is plain if `normalise` and the specification would leave it as it is, but for the case of
its letters: nearly all values of nearly all tables. What is said of them here must be what those
functions of one value say; a test holds the two together.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import compute

from titanic_ml.dataset.normalise import MISSING
from titanic_ml.dataset.spec import Column

# Of a text in ASCII: what `normalise.text` would change, or take for a missing value.
ODD = (
    r"[^ -~]|^ | $|  | [,.;:/)]|[/(] |^\d+\.0+$|^(?i:"
    + "|".join(re.escape(word) for word in sorted(MISSING))
    + ")$"
)
FIRST = 4_096  # values by which it is told whether a column repeats itself
NUMBER = r"^-?\d+(\.\d+)?$"
DIFFERENT = re.compile(r"\[\[:|\{,")  # of a pattern: what re and RE2 both take, but not as the same
# Not ascii_upper, which in Arrow 25 is wrong for some slices of a column.
CASES = {"keep": lambda texts: texts, "upper": compute.utf8_upper, "lower": compute.utf8_lower}


def plain_texts(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """The texts of a column in their one spelling, and which of them were not plain, (n,) bool.

    Parameters
    ----------
    values
        Of pandas' type of texts.
    column
        What they may be. Of those that are not plain the series has anything.
    """
    texts = _texts(values)
    if not _repeat(texts):
        texts, odd = _spelled(texts, column)
        return _series(texts, values), _rows(odd, texts)
    coded = texts.dictionary_encode()
    texts, odd = _spelled(coded.dictionary, column)
    texts, odd = texts.take(coded.indices), odd.take(coded.indices)
    return _series(texts, values), _rows(odd, texts)


def joined(values: pd.Series, asked: pd.Series, left: np.ndarray) -> pd.Series:
    """The texts of a column, with those that were asked for in the places that were left."""
    found = compute.replace_with_mask(_texts(values), left, _texts(asked))
    return _series(found, values)


def _repeat(texts: pyarrow.Array) -> bool:
    """Whether it pays to look at each distinct value once, as the first values tell."""
    return len(texts) > FIRST and compute.count_distinct(texts[:FIRST]).as_py() < FIRST // 2


def _spelled(texts: pyarrow.Array, column: Column) -> tuple[pyarrow.Array, pyarrow.Array]:
    """The texts in their one spelling, and which of them were not plain."""
    if column.allowed:
        known = pyarrow.array([word for word in column.allowed if isinstance(word, str)], "string")
        return texts, compute.invert(compute.is_in(texts, known))
    odd = compute.match_substring_regex(texts, ODD)
    texts = CASES[column.case](texts)
    if column.pattern:
        odd = compute.or_(odd, compute.invert(_matching(texts, column.pattern)))
    return texts, odd


def plain_numbers(values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """The numbers of a column of texts, NaN where one is missing, and which were not plain."""
    texts = _texts(values)
    try:
        found = compute.cast(texts, "float64")
        odd = _rows(compute.invert(compute.is_finite(found)), texts)  # Arrow reads nan and inf too
    except pyarrow.ArrowInvalid:
        odd = _rows(compute.invert(compute.match_substring_regex(texts, NUMBER)), texts)
        found = compute.cast(compute.if_else(pyarrow.array(odd), None, texts), "float64")
    return pd.Series(found.to_numpy(zero_copy_only=False), values.index, copy=False), odd


def _texts(values: pd.Series) -> pyarrow.Array:
    found = pyarrow.array(values)
    return found.combine_chunks() if isinstance(found, pyarrow.ChunkedArray) else found


def _series(found: pyarrow.Array, values: pd.Series) -> pd.Series:
    return found.to_pandas().astype("str").set_axis(values.index)


def _rows(odd: pyarrow.Array, texts: pyarrow.Array) -> np.ndarray:
    """Which values there are and are odd."""
    return compute.and_(compute.fill_null(odd, False), texts.is_valid()).to_numpy(False)


def _matching(texts: pyarrow.Array, pattern: str) -> pyarrow.Array:
    """Which texts match the whole of a pattern; none, if only Python can tell."""
    if not DIFFERENT.search(pattern):
        try:
            return compute.match_substring_regex(texts, rf"\A(?:{pattern})\z")
        except pyarrow.ArrowInvalid:  # it looks around or back, which RE2 doesn't
            pass
    return pyarrow.nulls(len(texts), "bool").fill_null(False)
