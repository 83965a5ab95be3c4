import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.preprocessing.coded import FEW, Coded, Single, numbers

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
    lengths = Coded.of(["ab", "cd", "e"] * times).mapped(len)
    assert lengths.values == [2, 1] and list(lengths) == [2, 2, 1] * times


COLUMN = st.lists(st.sampled_from("abcdef"), min_size=120, max_size=120)


@given(st.integers(1, 120), st.tuples(COLUMN, COLUMN, COLUMN))
def test_columns_are_joined_row_by_row(rows, columns):
    given_ = [column[:rows] for column in columns]
    found = Coded.joined("{}{}{}".format, *(Coded.of(column) for column in given_))
    assert list(found) == ["".join(row) for row in zip(*given_)]
    assert len(set(found.values)) == len(found.values)


def test_a_rule_gives_each_row_a_number_and_texts_are_those_of_pandas():
    column = Coded.of(["x", "yy", "x"])
    assert column.numbers(len).tolist() == [1.0, 2.0, 1.0] and column.numbers(len).dtype == float
    pd.testing.assert_series_equal(column.series(), pd.Series(["x", "yy", "x"], dtype="str"))


def test_no_rows_are_a_column_too():
    none = Coded.of([])
    assert list(none.mapped(len)) == [] == list(Coded.joined(lambda a, b: a + b, none, none))
    assert none.numbers(len).shape == (0,) == none.series().shape


@given(st.sampled_from(["a", "", None, 3, 2.5, np.nan]), st.sampled_from(["b", None, 7]))
def test_a_list_of_one_value_is_that_value_and_does_what_a_column_of_two_does(first, second):
    one, two = ([Coded.of([value] * rows) for value in (first, second)] for rows in (1, 2))
    for single, column in zip(one, two):
        assert isinstance(single, Single) and not isinstance(column, Single) and len(single) == 1
        assert list(single) == single.values == column.values == [single.value]
        assert list(single.mapped(repr)) == list(column.mapped(repr))[:1]
        assert single.numbers(lambda value: value is None) == column.numbers(lambda v: v is None)[0]
        assert Coded.of(single) is single and single.codes.tolist() == column.codes.tolist()[:1]
    assert list(Coded.joined("{}{}".format, *one)) == list(Coded.joined("{}{}".format, *two))[:1]


def test_numbers_are_an_array_or_that_of_a_list_of_one():
    assert numbers([3]) == 3.0 and isinstance(numbers([3]), float)
    assert np.isnan(numbers([None])) and np.isnan(numbers([np.nan]))
    assert numbers([3, 4]).tolist() == [3.0, 4.0] and numbers(pd.Series([3])).shape == (1,)
    assert Coded.of(numbers([3])).value == 3.0 and Coded.of(numbers([None])).value is None
