"""Why this prediction: which features of one row moved its probability, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from titanic_ml.evaluation.parts import split_features

MOST_EXACT = 10  # groups: 2¹⁰ coalitions are tried, more are sampled
SAMPLES = 64  # orders, half of them the reverse of the others


@dataclass(frozen=True)
class Contribution:
    """Contribution of some features of a row to its probability.

    Attributes
    ----------
    features
        Features of one group.
    values
        Their values in the row, as text.
    contribution
        Change of the probability, from -1 to 1.
    """

    features: list[str]
    values: str
    contribution: float


@dataclass(frozen=True, repr=False)
class Explanation:
    """Explanation of one prediction.

    Attributes
    ----------
    subject
        Name of the row, such as "id 5".
    outcome
        Name of the target, such as "y" or "risk bad".
    probability
        Predicted probability of the row.
    base
        Mean prediction for the background rows, a sample of the training rows.
    contributions
        Contributions, the largest first. Their sum is `probability` minus `base`.
    warning
        Warning of the version; empty if there is none.
    version
        Name of the version, if the model is a stored one.
    """

    subject: str
    outcome: str
    probability: float
    base: float
    contributions: list[Contribution]
    warning: str = ""
    version: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        first = f"{self.subject}: probability of {self.outcome} {self.probability:.3f}"
        lines = [f"WARNING: {self.warning}"] * bool(self.warning)
        lines.append(f"{first}; the mean over the training rows is {self.base:.3f}")
        lines += [f"  {part.contribution:+.3f}  {part.values}" for part in self.contributions]
        return "\n".join(lines)


@dataclass(frozen=True)
class Explainer:
    """Shares a row's probability out among its facts by Shapley values.

    What is shared out is the difference between the row's probability and the mean over a
    background of rows; the worth of some facts is the mean probability of the background given
    those facts of the row (Shapley 1953; Štrumbelj and Kononenko 2014; the interventional form,
    Janzing et al. 2020). Correlated features are one player, so they don't share one fact among
    them. Up to `MOST_EXACT` groups the values are exact; with more, orders are sampled in
    antithetic pairs (Mitchell et al. 2022), and they still sum to the probability.

    Attributes
    ----------
    model
        The fitted Pipeline, from the table's columns to probabilities.
    background
        Features of some rows to compare with, (at most about 100, features).
    groups
        The features that go together; every feature is in one group.
    seed
        Governs the sampled orders.
    labels
        Labels of features by name; a feature without one keeps its name.
    """

    model: Pipeline
    background: pd.DataFrame
    groups: Sequence[Sequence[str]]
    seed: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    def explain(self, row: pd.DataFrame, subject: str, outcome: str) -> Explanation:
        """Explain one row of the table, (1, columns)."""
        facts, rest = split_features(self.model, row)
        worth, base, full = self._worth(facts, rest)
        parts = [
            Contribution(list(group), self._in_words(facts[list(group)].iloc[0]), share)
            for group, share in zip(self.groups, worth.tolist(), strict=True)
        ]
        ranked = sorted(parts, key=lambda part: -abs(part.contribution))
        return Explanation(subject, outcome, full, base, ranked)

    def _worth(self, facts: pd.DataFrame, rest: Pipeline) -> tuple[np.ndarray, float, float]:
        """Compute each group's Shapley value, the background mean and the row's probability."""
        n = len(self.groups)
        if n <= MOST_EXACT:
            coalitions = np.array(list(product([False, True], repeat=n)))
            value = self._values(coalitions, facts, rest)
            sizes, places = coalitions.sum(axis=1), 2 ** np.arange(n - 1, -1, -1)
            weights = np.array([factorial(s) * factorial(n - 1 - s) for s in range(n)])
            worth = np.zeros(n)
            for i in range(n):
                without = np.flatnonzero(~coalitions[:, i])
                gains = value[without + places[i]] - value[without]
                worth[i] = weights[sizes[without]] @ gains / factorial(n)
            return worth, float(value[0]), float(value[-1])
        random = np.random.default_rng(self.seed)
        orders = [random.permutation(n) for _ in range(SAMPLES // 2)]
        worth = np.zeros(n)
        for order in [*orders, *(order[::-1] for order in orders)]:
            joined = np.argsort(order) < np.arange(n + 1)[:, None]
            value = self._values(joined, facts, rest)
            worth[order] += np.diff(value) / SAMPLES
        return worth, float(value[0]), float(value[-1])

    def _values(self, coalitions: np.ndarray, facts: pd.DataFrame, rest: Pipeline) -> np.ndarray:
        """Average the background's probability with the row's values of each coalition, (k,)."""
        rows = len(self.background)
        mixed = {}
        for group, joins in zip(self.groups, coalitions.T, strict=True):
            given = np.repeat(joins, rows)
            for name in group:
                usual = np.tile(self.background[name].to_numpy(), len(coalitions))
                mixed[name] = np.where(given, facts[name].iloc[0], usual)
        frame = pd.DataFrame(mixed)[list(self.background)].astype(self.background.dtypes)
        return rest.predict_proba(frame)[:, 1].reshape(len(coalitions), rows).mean(axis=1)

    def _in_words(self, facts: pd.Series) -> str:
        words = (f"{v:.3g}" if isinstance(v, (float, np.floating)) else str(v) for v in facts)
        names = (self.labels.get(name, name) for name in facts.index)
        return ", ".join(f"{name} {word}" for name, word in zip(names, words, strict=True))
