"""How the rows of a table are split for cross-validation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from titanic_ml.errors import DataError

Split = tuple[np.ndarray, np.ndarray]  # positions of training rows, of test rows


def stratified_splits(y: pd.Series, folds: int, repeats: int, seed: int) -> list[Split]:
    """Repeated stratified folds: repeat by repeat, each row is in one test fold of a repeat.

    Raises
    ------
    DataError
        A class has fewer rows than there are folds.
    """
    from sklearn.model_selection import RepeatedStratifiedKFold  # slow, and prediction needs none

    fewest = int(y.value_counts().min())
    if fewest < folds:
        raise DataError(
            f"a class has {fewest} of {len(y)} rows, expected at least {folds} for {folds} folds; "
            "add rows or lower selection.folds and selection.inner_folds"
        )
    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    return list(splitter.split(y, y))


def grouped_splits(y: pd.Series, groups: np.ndarray, folds: int, seed: int) -> list[Split]:
    """Stratified folds, once, with the rows of a group, (n,) in `groups`, in one test fold.

    Raises
    ------
    DataError
        There are fewer groups than folds, or a class has fewer rows than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # slow, and prediction needs none

    number = len(np.unique(groups))
    if number < folds:
        raise DataError(
            f"the table has {number} groups, expected at least {folds} for {folds} folds; "
            "add rows or lower selection.folds"
        )
    stratified_splits(y, folds, 1, seed)  # it says what is wrong with the classes
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(y, y, groups))
