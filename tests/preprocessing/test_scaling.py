import numpy as np
from sklearn.utils.estimator_checks import check_estimator

from titanic_ml.preprocessing.scaling import NORMAL_IQR, SquashingScaler


def test_the_checks_of_scikit_learn_hold():
    check_estimator(SquashingScaler(), on_skip=None)  # the array API needs a variable set


def test_usual_numbers_are_standardised_and_outliers_bounded():
    x = np.array([[1.0], [2.0], [3.0], [4.0], [1e12]])
    found = SquashingScaler().fit_transform(x).ravel()
    z = NORMAL_IQR * (1 - 3) / 2
    assert np.isclose(found[0], z / np.sqrt(1 + z**2 / 9))
    assert found[2] == 0.0 and 2.99 < found[4] <= 3.0


def test_columns_with_few_values_are_scaled_by_their_standard_deviation():
    x = np.array([[0.0, 7.0], [0.0, 7.0], [0.0, 7.0], [0.0, 7.0], [1.0, 7.0]])
    scaler = SquashingScaler().fit(x)
    assert scaler.scale_.tolist() == [0.4, 1.0]
