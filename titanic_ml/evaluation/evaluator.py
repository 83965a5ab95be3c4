"""How good: metrics with intervals, against baselines and by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.evaluation.bootstrap import bootstrap_weights
from titanic_ml.evaluation.metrics import (
    LOSSES,
    METRICS,
    calibration_bins,
    precision_recall_curve,
    roc_curve,
)
from titanic_ml.evaluation.result import Estimate, Estimates, Evaluation, SliceScore, in_order

Weighted = tuple[np.ndarray, np.ndarray, np.ndarray]  # truth, probability, answer: (n × repeats,)
SLICE_METRICS = ("log_loss", "brier", "accuracy", "precision", "recall", "roc_auc")


@dataclass(frozen=True)
class Evaluator:
    """Measures probabilities against the truth.

    Intervals are by the Bayesian bootstrap of rows (Rubin 1981): it reweights the rows instead of
    drawing them, so that no resample lacks a class.

    Attributes
    ----------
    resamples
        Number of bootstrap resamples behind each interval.
    confidence
        Of the intervals, such as 0.95.
    seed
        Governs the bootstrap.
    """

    resamples: int = 500
    confidence: float = 0.95
    seed: int = 0

    def evaluate(
        self,
        y: np.ndarray,
        probability: np.ndarray,
        threshold: float = 0.5,
        *,
        answer: np.ndarray | None = None,
        baselines: Mapping[str, np.ndarray] | None = None,
        slices: Mapping[str, pd.Series] | None = None,
    ) -> Evaluation:
        """Measure with intervals.

        Parameters
        ----------
        y
            The truth, (n,), 0 or 1, both present.
        probability
            Of class 1, (n,), or (n, repeats) from repeated cross-validation: then each repetition
            counts alike, and a row keeps its weight in all of them.
        threshold
            Probability from which on the answer is 1.
        answer
            The answers, of the shape of `probability`, if each fold had a threshold of its own.
        baselines
            By label, the probabilities of models to be beaten, (n,) or (n, repeats). They share
            the resamples, so the interval of a gain is that of paired differences.
        slices
            By name, the part to which each row belongs, (n,).
        """
        truth = np.asarray(y)
        model = _flat(truth, probability, answer, threshold)
        others = {name: _flat(truth, p, None, threshold) for name, p in (baselines or {}).items()}
        texts = {name: np.asarray(part, dtype="str") for name, part in (slices or {}).items()}
        parts = [
            (name, str(value), (labels == value).nonzero()[0])
            for name, labels in texts.items()
            for value in in_order(labels.tolist())
        ]

        def measure(weights: np.ndarray) -> list[np.ndarray]:
            whole = [_measure(part, weights, METRICS) for part in (model, *others.values())]
            return whole + [
                _measure(_rows(model, rows, len(truth)), weights[:, rows], SLICE_METRICS)
                for _, _, rows in parts
            ]

        values = [value[0] for value in measure(np.ones((1, len(truth))))]
        weights = bootstrap_weights(len(truth), self.resamples, self.seed)
        chunks = [measure(part) for part in weights]
        draws = [np.concatenate(chunk) for chunk in zip(*chunks, strict=True)]
        first, last = 1 + len(others), len(values)
        own = self._estimates(METRICS, values[0], draws[0])
        rivals, gains = {}, {}
        signs = np.array([1.0 if name in LOSSES else -1.0 for name in METRICS])
        for i, name in enumerate(others, start=1):
            rivals[name] = self._estimates(METRICS, values[i], draws[i])
            gain = signs * (values[i] - values[0]), signs * (draws[i] - draws[0])
            gains[name] = self._estimates(METRICS, *gain, gains=True)
        scores = []
        for (name, value, rows), i in zip(parts, range(first, last), strict=True):
            positives = int(truth[rows].sum())
            estimates = self._estimates(SLICE_METRICS, values[i], draws[i])
            if positives in (0, len(rows)):
                del estimates["roc_auc"]
            scores.append(SliceScore(name, value, len(rows), positives, estimates))
        tiled, flat, answers = model
        confusion = {
            i: {
                j: round(float(((tiled == i) & (answers == j)).sum() * len(truth) / len(tiled)), 2)
                for j in (0, 1)
            }
            for i in (0, 1)
        }
        means = flat.reshape(-1, len(truth)).mean(axis=0)  # a row stands once in the calibration
        curves = {
            "roc": roc_curve(tiled, flat),
            "precision_recall": precision_recall_curve(tiled, flat),
            "calibration": calibration_bins(truth, means, self.confidence),
        }
        positives = int(truth.sum())
        found = rivals, gains, scores, curves
        measured = Evaluation(len(truth), positives, threshold, own, confusion, *found)
        return replace(measured, confidence=self.confidence)

    def _estimates(
        self, names: Any, values: np.ndarray, draws: np.ndarray, gains: bool = False
    ) -> Estimates:
        """Quantiles of the draws, moved by their bias: reweighted rows always look worse
        calibrated than the rows themselves (Efron and Tibshirani 1993, chapter 10).
        """
        tail = (1 - self.confidence) / 2
        ends = np.quantile(draws, [tail, 1 - tail], axis=0) + values - np.median(draws, axis=0)
        if not gains:  # a loss is never below 0
            ends = np.maximum(ends, np.where([name in LOSSES for name in names], 0.0, -np.inf))
        return {
            name: Estimate(float(value), float(low), float(high))
            for name, value, low, high in zip(names, values, *ends, strict=True)
        }


def _flat(
    truth: np.ndarray, probability: np.ndarray, answer: np.ndarray | None, threshold: float
) -> Weighted:
    """Repetitions one below the other: truth, probability and answer, (n × repeats,)."""
    columns = np.asarray(probability, dtype="float64").reshape(len(truth), -1)
    answers = (columns >= threshold) if answer is None else np.asarray(answer)
    answers = answers.reshape(columns.shape).astype(int).ravel(order="F")
    return np.tile(truth, columns.shape[1]), columns.ravel(order="F"), answers


def _rows(whole: Weighted, rows: np.ndarray, n: int) -> Weighted:
    return tuple(values.reshape(-1, n)[:, rows].ravel() for values in whole)


def _measure(part: Weighted, weights: np.ndarray, names: Any) -> np.ndarray:
    """Each metric under each weighting, (m, metrics); weights are (m, n)."""
    tiled = np.tile(weights, (1, len(part[0]) // weights.shape[1]))
    return np.stack([METRICS[name](*part, tiled) for name in names], axis=-1)
