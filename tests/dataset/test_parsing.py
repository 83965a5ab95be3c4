import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from titanic_ml.dataset import parsing
from titanic_ml.dataset.normalise import NUMBER, number_of
from titanic_ml.dataset.parsing import canonical_numbers, canonical_texts
from titanic_ml.dataset.patterns import matches
from titanic_ml.dataset.spec import Column

# What a table holds and what nearly looks like it: letters, digits, marks, spaces, other alphabets.
ALPHABET = "aZ059-+.,;:/()' \t\u00a0é’eE\x00\x7fnNuUlL"
TEXTS = st.lists(st.none() | st.text(ALPHABET, max_size=8), min_size=1, max_size=30)
AS_GIVEN = Column("text")


def series(values):
    return pd.Series(values, dtype="str")


def agree(values, column):
    """Check each canonical text against the functions of one value; return which are not."""
    given_ = series(values)
    made, odd = canonical_texts(given_, column)
    assert made.dtype == given_.dtype and not odd[given_.isna()].any()
    for value, found, asked in zip(given_, made, odd, strict=True):
        if not asked:
            assert pd.isna(found) if pd.isna(value) else found == column.read(value)
            assert pd.isna(value) or not column.pattern or matches(column.pattern, found)
    return odd


@given(TEXTS)
@example(["1.0", "10.00", "1.05", "a ,b", "a/ b", "( a", "a )", "#N/A", r"\N", "", "<NA>", "nan0"])
def test_a_canonical_text_is_left_as_it_is(values):
    for case in ("keep", "upper", "lower"):
        agree(values, Column("text", case=case))


@given(TEXTS)
def test_a_canonical_text_matches_the_pattern(values):
    for pattern in (r"[^\W\d_].*", r".*\w.*", r"[A-GZ]\d{0,3}( [A-GZ]\d{1,3})*", "a|Z0"):
        agree(values, Column("text", case="upper", pattern=pattern))


def test_the_columns_of_the_titanic_are_canonical(train_frame, spec):
    for name in ("Name", "Ticket", "Cabin", "Sex", "Embarked"):
        assert agree(train_frame[name], spec.columns[name]).mean() < 0.01


@given(TEXTS, st.sampled_from([Column("text", case="upper", pattern=".*[^-].*"), AS_GIVEN]))
def test_repeated_texts_are_read_once_with_the_same_result(values, column):
    alone, odd = canonical_texts(series(values), column)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "FIRST", 3)
        many, odd_ones = canonical_texts(series(values * 9), column)
    assert odd_ones.tolist() == odd.tolist() * 9
    pd.testing.assert_series_equal(many, pd.concat([alone] * 9, ignore_index=True))


def test_allowed_words_of_a_category_are_canonical():
    column = Column("category", allowed=("male", "female"))
    assert agree(["male", "Male", " male", None, "man"], column).tolist() == [0, 1, 1, 0, 1]


@given(TEXTS | st.lists(st.floats().map(str) | st.integers().map(str), min_size=1))
@example(["nan", "-nan", "inf", "Infinity", "nan(1)", "0x10", "1d5", "1f", "1_0", " 1", "1e", "١"])
@example(["-nan"])
@example(["nan(1)"])
@example(["1."])
@example([".5", "1.e5", "1E5", "-.5e-3"])
@example(["007", "-0", "1.", ".5", "+1", "1e5", "9" * 400, "0.1", "1" * 30 + ".7", "4.35", "-1.10"])
def test_a_canonical_number_is_what_python_reads(values):
    made, odd = canonical_numbers(series(values))
    assert made.dtype == "float64"
    for value, found, asked in zip(series(values), made, odd, strict=True):
        if not asked:
            expected = np.nan if pd.isna(value) else number_of(value)
            assert np.array_equal(found, expected, equal_nan=True)
            assert pd.isna(value) or NUMBER.fullmatch(value)


def test_the_index_stays():
    values = series(["1", "x", "3"]).set_axis([7, 8, 9])
    assert list(canonical_numbers(values)[0].index) == list(
        canonical_texts(values, AS_GIVEN)[0].index
    )
    assert list(canonical_numbers(values)[0].index) == [7, 8, 9]


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
    made, odd = canonical_numbers(numbers)
    assert made[~odd].tolist() == list(map(float, numbers[~odd]))
