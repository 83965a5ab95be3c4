import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.preprocessing.coded import (
    FEW,
    Coded,
    at_least,
    coded,
    joined,
    mapped,
    numbered,
    numbers,
)

WORDS = ["a", "b", None, "a", "c"]


@pytest.mark.parametrize("times", [1, FEW])  # few rows are numbered by other means than many
@pytest.mark.parametrize("kind", [list, lambda words: pd.Series(words, dtype="str"), np.array])
def test_a_column_is_its_distinct_values_and_their_numbers(kind, times):
    column = Coded.of(kind(WORDS * times))
    assert list(column) == WORDS * times and len(column) == 5 * times
    assert len(column.values) == 4 and set(column.values) == {"a", "b", "c", None}
    assert Coded.of(column) is column


@pytest.mark.parametrize("times", [1, FEW])
def test_numbers_are_values_too_and_one_may_be_missing(times):
    column = Coded.of(np.array([2.0, np.nan, 2.0] * times))
    assert column.values == [2.0, None] and column.codes.tolist() == [0, 1, 0] * times
    assert Coded.of(np.array([3, 1] * times)).values == [3, 1]


@pytest.mark.parametrize("times", [1, FEW])
def test_a_rule_may_make_the_same_of_several_values(times):
    lengths = mapped(len, Coded.of(["ab", "cd", "e"] * times))
    assert lengths.values == [2, 1] and list(lengths) == [2, 2, 1] * times


COLUMN = st.lists(st.sampled_from("abcdef"), min_size=120, max_size=120)


@given(st.integers(1, 120), st.tuples(COLUMN, COLUMN, COLUMN))
def test_columns_are_joined_row_by_row(rows, columns):
    given_ = [column[:rows] for column in columns]
    found = joined("{}{}{}".format, *(Coded.of(column) for column in given_))
    assert list(found) == ["".join(row) for row in zip(*given_)]
    assert len(set(found.values)) == len(found.values)


def test_a_rule_gives_each_row_a_number_and_texts_are_those_of_pandas():
    column = Coded.of(["x", "yy", "x"])
    assert (
        numbered(len, column).tolist() == [1.0, 2.0, 1.0] and numbered(len, column).dtype == float
    )
    pd.testing.assert_series_equal(column.series(), pd.Series(["x", "yy", "x"], dtype="str"))


def test_no_rows_are_a_column_too():
    none = Coded.of([])
    assert list(mapped(len, none)) == [] == list(joined(lambda a, b: a + b, none, none))
    assert numbered(len, none).shape == (0,) == none.series().shape


@given(st.sampled_from(["a", "", None, 3, 2.5, np.nan]), st.sampled_from(["b", None, 7]))
def test_the_column_of_a_row_is_its_value_and_gets_what_a_column_of_two_gets(first, second):
    one, two = (coded(first), coded(second)), (Coded.of([first] * 2), Coded.of([second] * 2))
    for single, column in zip(one, two):
        assert not isinstance(single, Coded) and [single] == column.values
        assert mapped(repr, single) == list(mapped(repr, column))[0]
        missing = [numbered(lambda value: value is None, found) for found in (single, column)]
        assert missing[0] == missing[1][0] and isinstance(missing[0], float)
    assert joined("{}{}".format, *one) == list(joined("{}{}".format, *two))[0]


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_a_list_of_one_is_a_column(kind):
    assert coded(kind(["a"])).values == ["a"] and numbers(kind([3])).tolist() == [3.0]


def test_numbers_are_an_array_or_that_of_a_row():
    assert numbers(3) == 3.0 and isinstance(numbers(3), float)
    assert np.isnan(numbers(None)) and np.isnan(numbers(np.nan))
    assert numbers([3, 4]).tolist() == [3.0, 4.0] and numbers(pd.Series([3])).shape == (1,)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1))
def test_the_larger_of_two_numbers(pairs):
    least, column = np.array(pairs).T
    expected = [at_least(float(a), float(b)) for a, b in pairs]
    assert at_least(least, column).tolist() == expected == [max(pair) for pair in pairs]
