"""Answer for one row, or for several independent rows, by a version that stays loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from titanic_ml.errors import InvalidTable, UnreadableTable
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.prediction.row import Answer, RowPredictor
from titanic_ml.registry.version import ModelVersion
from titanic_ml.workflows.workspace import Workspace

if TYPE_CHECKING:
    from titanic_ml.dataset.spec import DatasetSpec
    from titanic_ml.evaluation.explanation import Explanation


class OnlinePredictor:
    """Predict single rows by a version that stays loaded.

    The first prediction loads the champion, unless `warm` has loaded another version; no alias is
    looked up after that. A row is a mapping of columns to values. Missing values are None; the id
    and nullable columns may be left out, and the target is ignored. It may be used from several
    threads.

    Parameters
    ----------
    workspace
        Settings and store.

    Raises
    ------
    InvalidTable
        Raised by every prediction if a row has faults.
    ModelError
        Raised by every method if the version doesn't exist or can't be used.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._loaded: tuple[ModelVersion, RowPredictor] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickled or copied, it loads a version again."""
        return vars(self) | {"_loaded": None}

    @property
    def spec(self) -> DatasetSpec | None:
        """Specification of the loaded version; None before the first is loaded."""
        return self._loaded[0].spec if self._loaded else None

    def warm(self, model: str = "champion") -> str:
        """Load a version.

        Parameters
        ----------
        model
            Name or alias of the version.

        Returns
        -------
        str
            Name of the loaded version.
        """
        store = self.workspace.store
        version = store.open(store.resolve(model))
        predictor = Predictor(version.model, version.threshold)
        self._loaded = version, RowPredictor(predictor, version.spec)
        return version.name

    def predict_one(self, row: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
        """Predict one row.

        Parameters
        ----------
        row
            Values by the name of their column.

        Returns
        -------
        dict
            Id (None if the row has none) and class under the names of the table, `probability`
            and `model_version`, equal to those of `predict`.
        """
        version, predictor = self._ready()
        return _named(version, predictor.predict(_record(row)))

    def predict_each(
        self, rows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any] | InvalidTable]:
        """Predict independent rows in one call of the estimator.

        Parameters
        ----------
        rows
            Rows, each with its values by the name of their column.

        Returns
        -------
        list
            For each row, the result of `predict_one` or the error that it would raise.
        """
        version, predictor = self._ready()
        found = predictor.predict_each(rows)
        return [a if isinstance(a, InvalidTable) else _named(version, a) for a in found]

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict the rows of one table, all or none.

        Parameters
        ----------
        rows
            Rows, each with its values by the name of their column.

        Returns
        -------
        list of dict
            Predictions in the order of the rows, as those of `predict_one`.
        """
        version, predictor = self._ready()
        return [_named(version, answer) for answer in predictor.predict_table(rows)]

    def explain_one(self, row: Mapping[str, Any] | pd.Series) -> Explanation:
        """Explain the prediction of `predict_one` for a row.

        Parameters
        ----------
        row
            Values by the name of their column.

        Returns
        -------
        Explanation
            Probability, and what each group of features adds to it or takes off.
        """
        from titanic_ml.workflows.evaluation import explained  # start-up time of a service

        version, predictor = self._ready()
        dataset = predictor.single(_record(row))
        id = dataset.ids.iloc[0]
        subject = "the row" if pd.isna(id) else f"{version.spec.id} {id}"
        return explained(version, dataset.X, subject)

    def _ready(self) -> tuple[ModelVersion, RowPredictor]:
        if self._loaded is None:
            self.warm()
        assert self._loaded is not None
        return self._loaded


def _record(row: Mapping[str, Any] | pd.Series) -> Mapping[str, Any]:
    """Return a row as a mapping. Raises `UnreadableTable` for anything else."""
    if isinstance(row, Mapping):
        return row
    if isinstance(row, pd.Series):
        return row.to_dict()
    raise UnreadableTable(
        f"found an object of the type {type(row).__name__}, expected one row as a dict or a Series"
    )


def _named(version: ModelVersion, answer: Answer) -> dict[str, Any]:
    names = (version.spec.id, version.spec.target, "probability", "model_version")
    return dict(zip(names, (*answer, version.name)))
