import numpy as np

from titanic_ml.preprocessing.imputation import GroupMedians

TITLES = ["Mr", "Mr", "Mr", "Miss", "Miss", "Dr"]
AGES = np.array([30.0, 40.0, np.nan, 10.0, np.nan, np.nan])


def test_a_group_is_filled_by_its_median_and_another_by_that_of_all():
    medians = GroupMedians.of(AGES, TITLES)
    assert medians.fill(AGES, TITLES).tolist() == [30, 40, 35, 10, 10, 30]
    assert medians.fill(np.array([np.nan, 1.0]), ["Sir", "Mr"]).tolist() == [30, 1]
    assert np.isnan(AGES[2])  # a copy is filled


def test_a_column_without_any_number_becomes_zero():
    ages = np.array([np.nan, np.nan])
    assert GroupMedians.of(ages, ["Mr", "Mr"]).fill(ages, ["Mr", "Sir"]).tolist() == [0, 0]


def test_a_single_number_is_filled_as_a_column_is():
    medians = GroupMedians.of(AGES, TITLES)
    for value in (np.nan, 5.0):
        for title in (*TITLES, "never seen"):
            (expected,) = medians.fill(np.array([value]), np.array([title])).tolist()
            assert medians.fill(value, title) == expected
