"""Whole columns in their types: vectorised where a value is written canonically, else one by one.

A text is canonical if `Column.read` would leave it as it is but for the case of its letters, as
nearly all values of nearly all tables are. What is done to these here must equal what
`Column.read` does; tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import compute

from titanic_ml.dataset.normalise import MISSING, rounded, significant
from titanic_ml.dataset.patterns import matches, matching
from titanic_ml.dataset.spec import DIGITS, FLOAT32_DIGITS, NOISE, TRUTH, Column

ODD = r"[^ -~]|^ | $|  | [,.;:/)]|[/(] |^\d+\.0+$"
FIRST = 4_096  # values from which it is estimated whether a column repeats itself
NUMBER = r"^-?\d+(\.\d+)?$"
# Not ascii_upper, which in Arrow 25 is wrong for some slices of a column.
CASES = {"keep": lambda texts: texts, "upper": compute.utf8_upper, "lower": compute.utf8_lower}


def parsed_column(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """Return a column in its type, and which values are not of that type or pattern, (n,) bool.

    Those are missing in the result. Range and allowed values are not checked.
    """
    return (_numbers if column.numeric else _texts)(values, column)


def _texts(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    def read(value: Any) -> Any:
        found = column.read(value)
        if column.pattern and found is not None and not matches(column.pattern, found):
            raise ValueError
        return found

    odd, texts = np.ones(len(values), dtype="bool"), values
    if column.kind == "bool" and values.dtype == np.dtype("bool"):
        return pd.Series(np.array(TRUTH)[values.astype("int64")], values.index, dtype="str"), ~odd
    if isinstance(values.dtype, pd.StringDtype):
        texts, odd = canonical_texts(values, column)
    if not odd.any():
        return texts, odd
    found, refused = _each(values[odd], read)
    found = found.astype("str")
    if not odd.all():
        replaced = compute.replace_with_mask(_arrow(texts), odd, _arrow(found))
        found = _series(replaced, values)
    return found, _spread(refused, odd)


def _numbers(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    bad = np.zeros(len(values), dtype="bool")
    if column.kind == "date":
        return _dates(values, column)
    if column.kind == "integer" and not column.missing_numbers and _is_whole(values):
        return values.astype("int64"), bad
    if pd.api.types.is_float_dtype(values) or pd.api.types.is_integer_dtype(values):
        numbers = values.astype("float64")
    else:
        odd, numbers = np.ones(len(values), dtype="bool"), values
        if isinstance(values.dtype, pd.StringDtype):
            numbers, odd = canonical_numbers(
                values.str.removesuffix(column.suffix) if column.suffix else values
            )
        if odd.any():
            found, refused = _each(values[odd], column.read)
            found = found.astype("float64")
            numbers = found if odd.all() else numbers.mask(odd, found)
            bad = _spread(refused, odd)
    found = _rounded(values, numbers.to_numpy(), column)
    if column.missing_numbers:
        found[np.isin(found, column.missing_numbers)] = np.nan
    bad |= np.isinf(found)
    if column.kind == "integer":
        missing = np.isnan(found)
        bad |= ~missing & ((np.trunc(found) != found) | (np.abs(found) >= 10.0**DIGITS))
        if not (bad | missing).any():
            found = found.astype("int64")
    if bad.any():
        found[bad] = np.nan
    return pd.Series(found, values.index, copy=False), bad


def _rounded(values: pd.Series, numbers: np.ndarray, column: Column) -> np.ndarray:
    """Round numbers as `Column.read` does, by the type of the values that they were read from."""
    if column.scale is not None:
        return rounded(numbers, NOISE if column.decimals is None else column.decimals)
    single = getattr(values.dtype, "numpy_dtype", values.dtype) == np.dtype("float32")
    return significant(numbers, FLOAT32_DIGITS if single else DIGITS)


def _dates(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
        days = values.to_numpy("datetime64[D]")
        found = np.where(np.isnat(days), np.nan, days.astype("int64"))
        return pd.Series(found, values.index), np.zeros(len(values), dtype="bool")
    found, refused = _each(values, column.read)
    return found.astype("float64"), refused.to_numpy()


def odd_texts(missing: Iterable[str] = MISSING) -> str:
    """Return the pattern of texts that `normalise.text` would change, or take for a missing value.

    They include all that are not ASCII.
    """
    return ODD + "|^(?i:" + "|".join(re.escape(word) for word in sorted(missing)) + ")$"


def canonical_texts(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """Return texts in their case, and which of them are not canonical, (n,) bool.

    Parameters
    ----------
    values
        Texts of pandas' string type, (n,).
    column
        Specification of the column.
    """
    texts = _arrow(values)
    if len(texts) <= FIRST or compute.count_distinct(texts[:FIRST]).as_py() >= FIRST // 2:
        texts, odd = _cased(texts, column)
    else:  # look at each distinct text once
        coded = texts.dictionary_encode()
        texts, odd = _cased(coded.dictionary, column)
        texts, odd = texts.take(coded.indices), odd.take(coded.indices)
    return _series(texts, values), _present(odd, texts)


def _cased(texts: pyarrow.Array, column: Column) -> tuple[pyarrow.Array, pyarrow.Array]:
    if column.allowed:
        return texts, compute.invert(compute.is_in(texts, pyarrow.array(column.allowed, "string")))
    odd = compute.greater(compute.binary_length(texts), column.longest)
    odd = compute.or_(odd, compute.match_substring_regex(texts, odd_texts(column.missing_words)))
    texts = CASES[column.case](texts)
    if column.pattern:
        odd = compute.or_(odd, compute.invert(matching(column.pattern, texts)))
    return texts, odd


def canonical_numbers(values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return the numbers of texts, NaN where one is missing, and which are not canonical.

    Parameters
    ----------
    values
        Texts of pandas' string type, (n,).
    """
    texts = _arrow(values)
    try:
        found = compute.cast(texts, "float64")
        odd = _present(compute.invert(compute.is_finite(found)), texts)  # Arrow reads nan and inf
    except pyarrow.ArrowInvalid:
        odd = _present(compute.invert(compute.match_substring_regex(texts, NUMBER)), texts)
        found = compute.cast(compute.if_else(pyarrow.array(odd), None, texts), "float64")
    return pd.Series(found.to_numpy(zero_copy_only=False), values.index, copy=False), odd


def _arrow(values: pd.Series) -> pyarrow.Array:
    found = pyarrow.array(values)
    return found.combine_chunks() if isinstance(found, pyarrow.ChunkedArray) else found


def _series(found: pyarrow.Array, values: pd.Series) -> pd.Series:
    return found.to_pandas().astype("str").set_axis(values.index)


def _present(odd: pyarrow.Array, texts: pyarrow.Array) -> np.ndarray:
    """Return which values are present and odd."""
    return compute.and_(compute.fill_null(odd, False), texts.is_valid()).to_numpy(False)


def _each(values: pd.Series, read: Callable[[Any], Any]) -> tuple[pd.Series, pd.Series]:
    """Read each distinct value; return the results, and which values were refused."""
    if isinstance(values.dtype, pd.StringDtype):
        codes, distinct = pd.factorize(values)
    else:  # of any type, where 1 and true would count as one value
        codes, distinct = np.arange(len(values)), values.astype("object").to_numpy()
    found = np.full(len(distinct) + 1, None, dtype="object")  # the last one for missing values
    refused = np.zeros(len(distinct) + 1, dtype="bool")
    for place, value in enumerate(distinct):
        try:
            found[place] = read(value)
        except ValueError:
            refused[place] = True
    return pd.Series(found[codes], values.index), pd.Series(refused[codes], values.index)


def _spread(refused: pd.Series, odd: np.ndarray) -> np.ndarray:
    bad = np.zeros(len(odd), dtype="bool")
    bad[odd] = refused
    return bad


def _is_whole(values: pd.Series) -> bool:
    """Return whether values have an integer type already, and none is too large."""
    most = 10**DIGITS - 1
    whole = isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu"
    return whole and bool(values.between(-most, most).all())
