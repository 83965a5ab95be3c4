"""How stable the choice among the candidates is, and how optimistic it makes their scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from titanic_ml.evaluation.result import Stability
from titanic_ml.training.model_comparison import simplest_within

RESAMPLES = 500


def stability_of_choice(
    losses: pd.DataFrame,
    chosen: str,
    complexity: Mapping[str, int],
    tolerance: float,
    seed: int,
    resamples: int = RESAMPLES,
) -> Stability:
    """Repeat the choice on resampled rows and score it on the rows that were not drawn.

    Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018): rows
    are drawn with replacement, with their out-of-fold losses; the candidate is chosen on the drawn
    rows, and scored on the others. No model is fitted again.

    Parameters
    ----------
    losses
        Out-of-fold log loss of each row, (n, candidates), columns by name.
    chosen
        The candidate chosen on all rows.
    complexity, tolerance
        Rule of the choice, see `simplest_within`.
    seed
        Seed of the resamples.
    resamples
        Number of resamples.

    Returns
    -------
    Stability
        Share of the resamples that chose each candidate, and the bias-corrected log loss.
    """
    random = np.random.default_rng(seed)
    values, rows = losses.to_numpy(), len(losses)
    names = list(losses)
    excess = values - values[:, [names.index(chosen)]]
    counts: dict[str, int] = dict.fromkeys(names, 0)
    gaps = []
    with threadpool_limits(1):  # as in `mean_interval`
        for _ in range(resamples):
            drawn = np.bincount(random.integers(0, rows, rows), minlength=rows)
            others = drawn == 0
            means = dict(zip(names, drawn @ values / rows, strict=True))
            name = simplest_within(means, complexity, tolerance)
            counts[name] += 1
            if others.any():
                gaps.append(float(excess[others, names.index(name)].mean()))
    own = float(losses[chosen].mean())
    return Stability(
        shares={name: count / resamples for name, count in counts.items()},
        own=own,
        nested=own + float(np.mean(gaps)) if gaps else own,
        resamples=resamples,
    )
