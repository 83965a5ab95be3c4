"""What searching a hyper-parameter inside each fold brings, against one value for all of them.

`python benchmarks/searches.py [SEEDS]` from the project's root compares, by the procedure of a
training, each candidate with the search of `SEARCHES`, with each single value of it, and with the
search and each of the `STEPS` of a boosting, over as many seeds. The loss of the better single
value is a little optimistic, for it is read off the same rows; that of a search is not.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, replace

from sklearn.base import clone

from titanic_ml.config.compose import build, load_settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.storage.tables import read_table
from titanic_ml.training.trainer import Trainer

SEARCHES = {
    "logistic_regression": ("C", [0.03, 0.1, 0.3, 1.0]),
    "svc": ("estimator__C", [0.5, 2.0]),
    "random_forest": ("min_samples_leaf", [3, 6]),
    "extra_trees": ("min_samples_leaf", [6, 12]),
    "gradient_boosting": ("learning_rate", [0.05, 0.1]),
    "vote": ("gradient_boosting__max_leaf_nodes", [6, 12]),
}
STEPS = {
    "vote": [(60, 0.05), (30, 0.1), (15, 0.2)]
}  # numbers of trees, and how much of each counts


def variants(candidate: Candidate) -> list[Candidate]:
    """The candidate with its search, and with each value of it."""
    name, values = SEARCHES[candidate.name]
    searched = replace(candidate, label="searched", search={name: values})
    fixed = [
        replace(
            candidate,
            name=f"{candidate.name} {value}",
            label=f"{name.split('__')[-1]} {value}",
            estimator=clone(candidate.estimator).set_params(**{name: value}),
            search={},
        )
        for value in values
    ]
    stepped = [
        replace(
            searched,
            name=f"{candidate.name} {trees} {rate}",
            label=f"{trees} trees of {rate}",
            estimator=clone(candidate.estimator).set_params(
                gradient_boosting__max_iter=trees, gradient_boosting__learning_rate=rate
            ),
        )
        for trees, rate in STEPS.get(candidate.name, ())
    ]
    return [searched, *fixed, *stepped]


def main(seeds: int = 3) -> None:
    """Print the log loss of each variant: the mean, and that of each seed."""
    settings = load_settings([f"estimator=[{','.join(SEARCHES)}]"])
    spec = DatasetSpec.from_dict(settings.dataset)
    uri = settings.data.uri
    X, y = Dataset.from_frame(read_table(uri), spec, uri).labelled
    preprocessor = build_preprocessor(build(spec.features))
    candidates = {
        name: variants(Candidate.from_dict(name, build(node)))
        for name, node in settings.estimator.items()
    }
    every = [variant for found in candidates.values() for variant in found]
    tables = [
        Trainer(preprocessor, every, **asdict(settings.selection), seed=seed).train(X, y).table
        for seed in range(seeds)
    ]
    for name, found in candidates.items():
        print(name)
        for variant in found:
            rows = [table.loc[variant.name] for table in tables]
            losses = " ".join(f"{row.log_loss:.4f}" for row in rows)
            mean = sum(row.log_loss for row in rows) / seeds
            print(f"  {variant.label:<22} {mean:.4f}   ({losses})", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
