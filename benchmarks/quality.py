"""Our whole procedure against others', on the same outer folds of data/train.csv: score and time.

Run `make quality`, or `python benchmarks/quality.py` from the project's root in an environment that
has `benchmarks/requirements-quality.txt` too. Options: --folds, --repeats, --only NAME.

Everybody gets the training rows of an outer fold with their answers, chooses and fits whatever it
will inside them, and gives probabilities for the test rows. Ours is the complete `Trainer` with its
default settings, on two cores as the others' threads are. The others see the raw columns without
the id; a text column is left as it is for those that take texts. The table gives the mean over the
outer folds, and log loss less ours with the p-value of the corrected resampled t-test.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pandas as pd

from titanic_ml import TitanicPipeline
from titanic_ml.config.compose import build
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.dataset.splits import stratified_splits
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.evaluation.metrics import METRICS
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.storage.tables import read_table
from titanic_ml.training.model_comparison import corrected_t_test
from titanic_ml.training.trainer import Trainer

FLAML_SECONDS = 20
SHOWN = ("log_loss", "roc_auc", "accuracy", "calibration_error")
Answer = Callable[[pd.DataFrame, pd.Series, pd.DataFrame], np.ndarray]


def ours(X: pd.DataFrame, y: pd.Series, others: pd.DataFrame) -> np.ndarray:
    """Features, nested selection and the choice of the threshold: what `train` does."""
    s = TitanicPipeline().settings
    candidates = [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()]
    preprocessor = build_preprocessor(build(s.dataset["features"]))
    trainer = Trainer(preprocessor, candidates, **asdict(s.selection), seed=s.seed, n_jobs=s.n_jobs)
    return trainer.train(X, y).model.predict_proba(others)[:, 1]


def plain(estimator: object) -> Answer:
    """What the first page of a tutorial does: impute, scale, one-hot, the estimator's defaults."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    def answer(X: pd.DataFrame, y: pd.Series, others: pd.DataFrame) -> np.ndarray:
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        words = OneHotEncoder(handle_unknown="ignore", sparse_output=False, min_frequency=5)
        encoder = make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (words, make_column_selector(dtype_exclude="number")),
        )
        return make_pipeline(encoder, estimator).fit(X, y).predict_proba(others)[:, 1]

    return answer


def logistic_regression() -> Answer:
    from sklearn.linear_model import LogisticRegression

    return plain(LogisticRegression(max_iter=1000))


def gradient_boosting() -> Answer:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return plain(HistGradientBoostingClassifier(random_state=0))


def tabular_pipeline() -> Answer:
    from skrub import tabular_pipeline

    return lambda X, y, others: (
        tabular_pipeline("classifier").fit(X, y).predict_proba(others)[:, 1]
    )


def flaml() -> Answer:
    from flaml import AutoML

    def answer(X: pd.DataFrame, y: pd.Series, others: pd.DataFrame) -> np.ndarray:
        chooser = AutoML()
        task = {"task": "classification", "metric": "log_loss", "time_budget": FLAML_SECONDS}
        # Its own data transformation doesn't know the dtype `str` of pandas 3.
        train, test = (frame.astype(_texts(frame, "object")) for frame in (X, others))
        chooser.fit(train, y, **task, verbose=0, seed=0)
        return chooser.predict_proba(test)[:, 1]

    return answer


def catboost() -> Answer:
    from catboost import CatBoostClassifier

    def answer(X: pd.DataFrame, y: pd.Series, others: pd.DataFrame) -> np.ndarray:
        texts = list(_texts(X, ""))
        train, test = (
            frame.assign(**{name: frame[name].fillna("").astype("object") for name in texts})
            for frame in (X, others)
        )
        model = CatBoostClassifier(
            cat_features=texts, verbose=0, random_seed=0, allow_writing_files=False
        )
        return model.fit(train, y).predict_proba(test)[:, 1]

    return answer


def _texts(frame: pd.DataFrame, kind: str) -> dict[str, str]:
    return dict.fromkeys(frame.select_dtypes(exclude="number"), kind)


COMPETITORS: dict[str, tuple[str, Callable[[], Answer]]] = {
    "ours": ("titanic_ml", lambda: ours),
    "logistic regression": ("scikit-learn", logistic_regression),
    "gradient boosting": ("scikit-learn", gradient_boosting),
    "tabular_pipeline": ("skrub", tabular_pipeline),
    f"FLAML, {FLAML_SECONDS} s": ("flaml", flaml),
    "CatBoost": ("catboost", catboost),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", action="append", choices=COMPETITORS, help="besides ours")
    wanted = parser.parse_args()
    dataset = _dataset()
    splits = stratified_splits(dataset.y, wanted.folds, wanted.repeats, seed=1)
    names = [name for name in COMPETITORS if not wanted.only or name in ("ours", *wanted.only)]
    print(f"{wanted.repeats} x {wanted.folds} outer folds of {len(dataset)} rows; means over them")
    print(f"{'':<30} log loss     AUC  accuracy  calibration  seconds   more than ours      p")
    first, absent = None, False
    for name in names:
        package, make = COMPETITORS[name]
        try:
            answer = make()
        except ImportError:
            print(f"{name:<30} not installed: pip install -r benchmarks/requirements-quality.txt")
            absent = absent or bool(wanted.only)
            continue
        scores, seconds = _scores(answer, dataset, splits)
        losses = scores["log_loss"]
        label = f"{name} ({package} {importlib.metadata.version(package)})"
        line = f"{label:<30} {losses.mean():8.4f} {scores['roc_auc'].mean():7.3f}"
        line += f" {scores['accuracy'].mean():9.3f} {scores['calibration_error'].mean():12.3f}"
        line += f" {seconds:8.1f}"
        if first is None:
            first = losses
        else:
            p = corrected_t_test(losses - first, 1 / (wanted.folds - 1))
            line += f" {(losses - first).mean():+16.4f} {p:6.3f}"
        print(line, flush=True)
    return int(absent)


def _dataset() -> Dataset:
    s = TitanicPipeline().settings
    return Dataset.from_frame(read_table(s.data.uri), DatasetSpec.from_dict(s.dataset), s.data.uri)


def _scores(
    answer: Answer, dataset: Dataset, splits: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[dict[str, np.ndarray], float]:
    """Each metric by outer fold, and the mean seconds of a fold."""
    found: dict[str, list[float]] = {name: [] for name in SHOWN}
    start = time.perf_counter()
    for train, test in splits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X, y = (part.iloc[train].reset_index(drop=True) for part in (dataset.X, dataset.y))
            p = answer(X, y, dataset.X.iloc[test].reset_index(drop=True))
        truth, weights = dataset.y.to_numpy()[test], np.ones(len(test))
        for name in SHOWN:
            value = METRICS[name](truth, p, (p >= 0.5).astype(int), weights)
            found[name].append(float(value))
    seconds = (time.perf_counter() - start) / len(splits)
    return {name: np.array(values) for name, values in found.items()}, seconds


if __name__ == "__main__":
    sys.exit(main())
