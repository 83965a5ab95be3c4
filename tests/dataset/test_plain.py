import re

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from titanic_ml.dataset import plain
from titanic_ml.dataset.normalise import NUMBER
from titanic_ml.dataset.plain import plain_numbers, plain_texts
from titanic_ml.dataset.spec import Column
from titanic_ml.dataset.validation import number_in, text_in

# What a table holds and what nearly looks like it: letters, digits, marks, spaces, other alphabets.
ALPHABET = "aZ059-+.,;:/()' \t\u00a0é’eE\x00\x7fnNuUlL"
TEXTS = st.lists(st.none() | st.text(ALPHABET, max_size=8), min_size=1, max_size=30)
AS_GIVEN = Column("text")


def series(values):
    return pd.Series(values, dtype="str")


def agree(values, column):
    """Each plain text is what the function of one value makes of it."""
    given_ = series(values)
    made, odd = plain_texts(given_, column)
    assert made.dtype == given_.dtype and not odd[given_.isna()].any()
    for value, found, asked in zip(given_, made, odd, strict=True):
        if not asked:
            assert pd.isna(found) if pd.isna(value) else found == text_in(value, column)
    return odd


@given(TEXTS)
@example(["1.0", "10.00", "1.05", "a ,b", "a/ b", "( a", "a )", "#N/A", r"\N", "", "<NA>", "nan0"])
def test_a_plain_text_is_in_its_one_spelling(values):
    for case in ("keep", "upper", "lower"):
        agree(values, Column("text", case=case))


@given(TEXTS)
def test_a_plain_text_matches_the_pattern(values):
    for pattern in (r"[^\W\d_].*", r".*\w.*", r"[A-GZ]\d{0,3}( [A-GZ]\d{1,3})*", "a|Z0"):
        agree(values, Column("text", case="upper", pattern=pattern))


def test_the_columns_of_the_titanic_are_plain(train_frame, spec):
    for name in ("Name", "Ticket", "Cabin", "Sex", "Embarked"):
        assert agree(train_frame[name], spec.columns[name]).mean() < 0.01


@pytest.mark.parametrize("pattern", [r"(?!a).*", r"a{,3}", r"[[:alpha:]]+", r"(a)\1"])
@pytest.mark.filterwarnings("ignore:Possible nested set")
def test_of_a_pattern_that_only_python_understands_nothing_is_plain(pattern):
    re.compile(pattern)
    assert agree(["a", "b", "aa", "a{,3}"], Column("text", pattern=pattern)).all()


@given(TEXTS, st.sampled_from([Column("text", case="upper", pattern=".*[^-].*"), AS_GIVEN]))
def test_of_texts_that_repeat_each_is_looked_at_once_and_gets_the_same(values, column):
    alone, odd = plain_texts(series(values), column)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "FIRST", 3)
        many, odd_ones = plain_texts(series(values * 9), column)
    assert odd_ones.tolist() == odd.tolist() * 9
    pd.testing.assert_series_equal(many, pd.concat([alone] * 9, ignore_index=True))


def test_of_a_category_the_allowed_words_are_plain():
    column = Column("category", allowed=("male", "female"))
    assert agree(["male", "Male", " male", None, "man"], column).tolist() == [0, 1, 1, 0, 1]


@given(TEXTS | st.lists(st.floats().map(str) | st.integers().map(str), min_size=1))
@example(["nan", "-nan", "inf", "Infinity", "nan(1)", "0x10", "1d5", "1f", "1_0", " 1", "1e", "١"])
@example(["-nan"])
@example(["nan(1)"])
@example(["1."])
@example([".5", "1.e5", "1E5", "-.5e-3"])
@example(["007", "-0", "1.", ".5", "+1", "1e5", "9" * 400, "0.1", "1" * 30 + ".7", "4.35", "-1.10"])
def test_a_plain_number_is_what_python_reads(values):
    made, odd = plain_numbers(series(values))
    assert made.dtype == "float64"
    for value, found, asked in zip(series(values), made, odd, strict=True):
        if not asked:
            expected = np.nan if pd.isna(value) else number_in(value, Column("number"))
            assert np.array_equal(found, expected, equal_nan=True)
            assert pd.isna(value) or NUMBER.fullmatch(value)


def test_the_index_stays():
    values = series(["1", "x", "3"]).set_axis([7, 8, 9])
    assert list(plain_numbers(values)[0].index) == list(plain_texts(values, AS_GIVEN)[0].index)
    assert list(plain_numbers(values)[0].index) == [7, 8, 9]


@pytest.mark.parametrize("start", [0, 8, 11])
def test_a_part_of_a_column_is_read_as_the_whole(start):
    """Arrow's ascii_upper makes rubbish of a slice that was cast where its offsets don't start at
    0, which this is; so it is not used."""
    names = pyarrow.array([f"name {number}" for number in range(100)]).slice(start)
    values = names.to_pandas()
    assert values.dtype == "str"
    for case in ("keep", "upper", "lower"):
        assert not agree(values, Column("text", case=case)).any()
    numbers = pyarrow.array(["x", *map(str, range(99))]).slice(start).to_pandas()
    made, odd = plain_numbers(numbers)
    assert made[~odd].tolist() == list(map(float, numbers[~odd]))
