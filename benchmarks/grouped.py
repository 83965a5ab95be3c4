"""How much the estimate for unseen groups varies with the shuffle of its folds, and with the rows.

`python benchmarks/grouped.py [SEEDS]` from the project's root scores the vote in grouped folds of
as many seeds (docs/decisions/0020).
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from titanic_ml.config.compose import build, load_settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.storage.tables import read_table
from titanic_ml.training.trainer import Trainer


def main(seeds: int = 10) -> None:
    """Print the log loss and the accuracy of each seed, and how far they lie apart."""
    settings = load_settings(["estimator=[vote]"])
    spec = DatasetSpec.from_dict(settings.dataset)
    uri = settings.data.uri
    X, y = Dataset.from_frame(read_table(uri), spec, uri).labelled
    groups = build(spec.groups)(X)
    vote = Candidate.from_dict("vote", build(settings.estimator["vote"]))
    trainer = Trainer(build_preprocessor(build(spec.features)), [vote])
    losses, right = [], []
    print("seed  log loss  accuracy")
    for seed in range(seeds):
        seeded = replace(trainer, seed=seed)
        splits = seeded.grouped_splits(y, groups)
        found, _ = seeded.estimate([vote], vote, splits, X, y)
        losses.append(row_losses(y.to_numpy(), found.probability.to_numpy()[:, 0]))
        right.append((found.prediction.to_numpy()[:, 0] == y).mean())
        print(f"{seed:>4}  {losses[-1].mean():>8.4f}  {right[-1]:>8.4f}", flush=True)
    between = np.std(np.mean(losses, axis=1), ddof=1)
    print(f"standard deviation between seeds: {between:.4f}, {np.std(right, ddof=1):.4f}")
    print(f"standard error over rows: {np.std(losses[0]) / np.sqrt(len(y)):.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
