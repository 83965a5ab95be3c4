import numpy as np
from sklearn.base import clone

from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures


def test_matrix_is_finite_scaled_and_named(dataset, unlabelled):
    preprocessor = build_preprocessor(TitanicFeatures())
    matrix = preprocessor.fit_transform(dataset.X, dataset.y)
    names = list(preprocessor.get_feature_names_out())
    assert matrix.shape == (891, len(names)) and len(set(names)) == len(names)
    assert {"age", "sex_female", "title_Master", "sex_pclass_male_1"} <= set(names)
    numbers = matrix[:, :12]
    assert np.allclose(numbers.mean(axis=0), 0) and np.allclose(numbers.std(axis=0), 1)
    assert set(np.unique(matrix[:, 12:])) == {0.0, 1.0}
    assert np.isfinite(preprocessor.transform(unlabelled.X)).all()


def test_matrix_comes_as_a_frame_if_requested(dataset):
    preprocessor = build_preprocessor(TitanicFeatures())
    plain = clone(preprocessor).fit_transform(dataset.X, dataset.y)
    frame = preprocessor.set_output(transform="pandas").fit_transform(dataset.X, dataset.y)
    assert list(frame) == list(preprocessor.get_feature_names_out())
    assert np.array_equal(frame.to_numpy(), plain)


def test_rare_and_unseen_categories_share_a_column(dataset):
    preprocessor = build_preprocessor(TitanicFeatures()).fit(dataset.X, dataset.y)
    rows = dataset.X.head(2).assign(Cabin=["T1", "Z9"])  # one T in the table, no Z
    names = list(preprocessor.get_feature_names_out())
    column = preprocessor.transform(rows)[:, names.index("deck_infrequent_sklearn")]
    assert column.tolist() == [1, 1]
