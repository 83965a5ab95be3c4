"""Evaluate and explain a version."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from titanic_ml.dataset.slices import slice_labels
from titanic_ml.errors import DataError
from titanic_ml.evaluation.explanation import Explainer, Explanation
from titanic_ml.evaluation.result import Evaluation
from titanic_ml.prediction.predictor import DECIMALS, Predictor
from titanic_ml.registry.version import ModelVersion
from titanic_ml.reporting.version_report import VersionReport
from titanic_ml.storage.tables import Table, name_of
from titanic_ml.workflows.workspace import Workspace, group_labels


@dataclass(frozen=True)
class VersionEvaluation:
    """Measures a version on a table, and explains its predictions."""

    workspace: Workspace

    def evaluate(self, data: Table | None, model: str) -> Evaluation:
        """Evaluate a version on a table; without one, return its out-of-fold evaluation.

        Parameters and errors are those of `TitanicPipeline.evaluate`.
        """
        version = self.workspace.version(model)
        if data is None:
            return VersionReport.from_json(version.facts).out_of_fold
        dataset = self.workspace.dataset(data, version.spec)
        X, y = dataset.labelled
        baselines = {name: Predictor(b).probability(X) for name, b in version.baselines.items()}
        evaluation = self.workspace.evaluator(version.spec).evaluate(
            y.to_numpy(),
            Predictor(version.model).probability(X),
            version.threshold,
            baselines=baselines,
            slices=slice_labels(X, version.spec.slices),
            groups=group_labels(version.spec, X),
        )
        seen = int(version.seen(dataset).sum())
        return replace(evaluation, seen=seen, version=version.name, warning=version.warning)

    def explain(self, id: int | str, data: Table | None, model: str) -> Explanation:
        """Explain the prediction for one row of a table.

        Parameters and errors are those of `TitanicPipeline.explain`.
        """
        if not isinstance(id, (int, str, np.integer)):
            raise DataError(
                f"found an object of the type {type(id).__name__}, expected the id of a row; "
                "pass a row to explain_one"
            )
        version = self.workspace.version(model)
        spec = version.spec
        data = self.workspace.settings.data.uri if data is None else data
        dataset = self.workspace.dataset(data, spec, with_target=False)
        row = (dataset.ids.astype(str) == str(id)).to_numpy().nonzero()[0]
        if not len(row):
            raise DataError(f"{name_of(data)} has no {spec.id} {id}; name one of its rows")
        return explained(version, dataset.X.iloc[row], f"{spec.id} {id}")


def explained(version: ModelVersion, row: pd.DataFrame, subject: str) -> Explanation:
    """Explain the prediction of a version for one row, (1, columns)."""
    manifest, spec = version.manifest, version.spec
    explainer = Explainer(
        version.model, version.background, manifest.groups, manifest.seed, spec.labels
    )
    found = explainer.explain(row, subject, spec.outcome)
    probability = round(found.probability, DECIMALS)  # as predictions are
    return replace(found, probability=probability, version=version.name, warning=version.warning)
