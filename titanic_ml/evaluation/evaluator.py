"""How good: metrics with intervals, against baselines and by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from titanic_ml.evaluation.bootstrap import bootstrap_weights
from titanic_ml.evaluation.metrics import (
    LOSSES,
    METRICS,
    Rows,
    calibration_bins,
    calibration_test,
    confusion,
    measure,
    precision_recall_points,
    roc_points,
)
from titanic_ml.evaluation.result import (
    FEWEST,
    Curves,
    Estimate,
    Estimates,
    Evaluation,
    SliceScore,
    in_order,
)

Drawn = tuple[np.ndarray, np.ndarray]  # a value a metric, (metrics,), and its (resamples, metrics)
SLICE_METRICS = ("log_loss", "brier", "accuracy", "precision", "recall", "roc_auc")


class _Part(NamedTuple):
    """The rows of one value of a slice."""

    slice: str
    value: str
    rows: np.ndarray


@dataclass(frozen=True)
class Evaluator:
    """Compute metrics of predicted probabilities, with intervals.

    Intervals are percentiles of a Bayesian bootstrap of the rows, or of their groups.

    Attributes
    ----------
    resamples
        Number of bootstrap resamples for each interval.
    confidence
        Confidence of the intervals, such as 0.95.
    seed
        Seed of the bootstrap.
    n_jobs
        Number of threads; it never changes a result.
    target, answers
        Name of the target and its values for class 0 and class 1, for people.
    """

    resamples: int = 500
    confidence: float = 0.95
    seed: int = 0
    n_jobs: int = -1
    target: str = "class"
    answers: tuple[str, str] = ("0", "1")

    def evaluate(
        self,
        y: np.ndarray,
        probability: np.ndarray,
        threshold: float = 0.5,
        *,
        prediction: np.ndarray | None = None,
        baselines: Mapping[str, np.ndarray] | None = None,
        slices: Mapping[str, pd.Series] | None = None,
        groups: np.ndarray | None = None,
    ) -> Evaluation:
        """Compute all metrics with their intervals.

        Parameters
        ----------
        y
            True classes, 0 or 1, both present, (n,).
        probability
            Predicted probabilities of class 1, (n,), or (n, repeats) from repeated
            cross-validation: metrics are averaged over the repeats, and a resampled row has the
            same weight in all of them.
        threshold
            Smallest probability that is predicted as class 1.
        prediction
            Predicted classes, of the shape of `probability`, if each fold has a threshold of its
            own. Metrics that need a threshold, and `nested_confusion`, are computed from them.
        baselines
            Probabilities of the baselines by label, (n,) or (n, repeats). They share the
            resamples, so the interval of a gain is one of paired differences.
        slices
            The slice of each row, (n,), by the name of the slicing.
        groups
            Labels of the rows' groups, (n,); None if the rows are independent.

        Returns
        -------
        Evaluation
            Metrics, confusion matrices, calibration, baselines and slices.
        """
        truth = np.asarray(y)
        model = _rows(truth, probability, prediction, threshold)
        others = {name: _rows(truth, p, None, threshold) for name, p in (baselines or {}).items()}
        parts = _parts(slices or {})
        drawn = self._drawn([model, *others.values()], parts, len(truth), groups)
        own, rivals, sliced = drawn[0], drawn[1 : 1 + len(others)], drawn[1 + len(others) :]
        return Evaluation(
            len(truth),
            int(truth.sum()),
            threshold,
            self._estimates(METRICS, *own),
            _confusion(truth, model.p, model.p >= threshold),
            {n: self._estimates(METRICS, *it) for n, it in zip(others, rivals, strict=True)},
            {n: self._gains(own, it) for n, it in zip(others, rivals, strict=True)},
            [self._slice_score(p, truth, *it) for p, it in zip(parts, sliced, strict=True)],
            self._curves(model),
            confidence=self.confidence,
            calibration_p=calibration_test(model.y, model.p.mean(axis=1)),
            worst_p=_chance_of_worst(parts, own, sliced),
            nested_confusion=None if prediction is None else _confusion(truth, model.p, model.c),
            target=self.target,
            answers=self.answers,
        )

    def _drawn(
        self, wholes: Sequence[Rows], parts: Sequence[_Part], n: int, groups: np.ndarray | None
    ) -> list[Drawn]:
        """Compute the metrics of each model, and of the first model in each slice of its n rows.

        Each is a pair: the values on all rows, and those in each resample.
        """
        sliced = [(wholes[0].take(part.rows), part.rows) for part in parts]

        def measured(weights: np.ndarray) -> list[np.ndarray]:
            found = [measure(whole, weights, METRICS) for whole in wholes]
            return found + [measure(rows, weights[:, at], SLICE_METRICS) for rows, at in sliced]

        values = [value[0] for value in measured(np.ones((1, n)))]
        weights = bootstrap_weights(n, self.resamples, self.seed, wholes[0].p.shape[1], groups)
        # Threads, since numpy releases the interpreter's lock.
        work = Parallel(self.n_jobs, prefer="threads", pre_dispatch="n_jobs")
        with threadpool_limits(1):  # as in `mean_interval`
            chunks = work(delayed(measured)(chunk) for chunk in weights)
        draws = [np.concatenate(chunk) for chunk in zip(*chunks, strict=True)]
        return list(zip(values, draws, strict=True))

    def _gains(self, own: Drawn, rival: Drawn) -> Estimates:
        """Return the gain of the model over a rival in each metric, from paired differences."""
        signs = np.array([1.0 if name in LOSSES else -1.0 for name in METRICS])
        values, draws = (signs * (theirs - ours) for ours, theirs in zip(own, rival, strict=True))
        return self._estimates(METRICS, values, draws, gains=True)

    def _slice_score(
        self, part: _Part, truth: np.ndarray, values: np.ndarray, draws: np.ndarray
    ) -> SliceScore:
        rows, positives = len(part.rows), int(truth[part.rows].sum())
        estimates = self._estimates(SLICE_METRICS, values, draws)
        if positives in (0, rows):
            del estimates["roc_auc"]
        return SliceScore(part.slice, part.value, rows, positives, estimates)

    def _curves(self, model: Rows) -> Curves:
        truth, flat = np.tile(model.y, model.p.shape[1]), model.p.ravel(order="F")
        means = model.p.mean(axis=1)  # a row stands once in the calibration
        return Curves(
            roc_points(truth, flat),
            precision_recall_points(truth, flat),
            calibration_bins(model.y, means, self.confidence),
        )

    def _estimates(
        self, names: Any, values: np.ndarray, draws: np.ndarray, gains: bool = False
    ) -> Estimates:
        """Quantiles of the draws, moved by their bias: reweighted rows always look worse
        calibrated than the rows themselves (Efron and Tibshirani 1993, chapter 10).
        """
        tail = (1 - self.confidence) / 2
        ends = np.quantile(draws, [tail, 1 - tail], axis=0) + values - np.median(draws, axis=0)
        if not gains:  # a loss is never below 0, its estimate without bias may be
            bounded = [name in LOSSES and name != "brier_reliability" for name in names]
            ends = np.maximum(ends, np.where(bounded, 0.0, -np.inf))
        found = {
            name: Estimate(float(value), float(low), float(high))
            for name, value, low, high in zip(names, values, *ends, strict=True)
        }
        if "calibration_error" in found and not gains:  # the root of it, with its interval
            squares = vars(found["brier_reliability"]).values()
            found["calibration_error"] = Estimate(*(max(square, 0.0) ** 0.5 for square in squares))
        return found


def _chance_of_worst(parts: Sequence[_Part], own: Drawn, sliced: Sequence[Drawn]) -> float | None:
    """Return the probability that the worst slice is as bad by chance; None without slices.

    Of slices with the same expected log loss one is the worst. The p-value is that of the largest
    of their studentised differences to all rows, from the bootstrap (Romano and Wolf 2005).
    """
    large = [found for part, found in zip(parts, sliced) if len(part.rows) >= FEWEST]
    if not large:
        return None
    values = np.array([found[0][0] for found in large]) - own[0][0]
    draws = np.stack([found[1][:, 0] for found in large], axis=1) - own[1][:, :1]
    errors = np.maximum(draws.std(axis=0), np.finfo(float).tiny)
    largest = ((draws - draws.mean(axis=0)) / errors).max(axis=1)
    worst = int(np.argmax(values))
    return float((largest >= values[worst] / errors[worst]).mean())


def _rows(
    truth: np.ndarray, probability: np.ndarray, prediction: np.ndarray | None, threshold: float
) -> Rows:
    """Stack the rows of all repeats, with the given class or the class at the threshold."""
    probability = np.asarray(probability, dtype="float64")
    return Rows(truth, probability, probability >= threshold if prediction is None else prediction)


def _parts(slices: Mapping[str, pd.Series]) -> list[_Part]:
    """Return the parts of all slices, sorted for people."""
    texts = {name: np.asarray(part, dtype="str") for name, part in slices.items()}
    return [
        _Part(name, str(value), (labels == value).nonzero()[0])
        for name, labels in texts.items()
        for value in in_order(labels.tolist())
    ]


def _confusion(
    y: np.ndarray, probability: np.ndarray, prediction: np.ndarray
) -> dict[int, dict[int, float]]:
    """Return the rows by truth and prediction, as a mean of the repetitions."""
    tp, fp, fn, tn = (round(float(n), 2) for n in confusion(y, probability, prediction))
    return {0: {0: tn, 1: fp}, 1: {0: fn, 1: tp}}
