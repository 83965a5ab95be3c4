"""The workflows of the package behind one class, which the command line and notebooks call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from titanic_ml.config.compose import load_settings
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import Table
from titanic_ml.workflows.champion import Models
from titanic_ml.workflows.online import OnlinePredictor
from titanic_ml.workflows.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from titanic_ml.evaluation.explanation import Explanation
    from titanic_ml.evaluation.result import Evaluation
    from titanic_ml.reporting.report import Report
    from titanic_ml.results import (
        Monitoring,
        NewDataset,
        Predictions,
        Progress,
        TrainingResult,
        Validation,
    )

# Imported in functions: each workflow, so that a prediction does without what a training imports.


class TitanicPipeline:
    """Train, evaluate, predict and monitor with one set of settings.

    A table is a DataFrame, an Arrow table of any library (pyarrow, polars), a row as a dict or a
    Series, a list of rows, or the URI of a table. A `model` is the name of a version or an alias;
    it is looked up once in each call, and a version stays loaded for the next call. A pipeline may
    be used from several threads.

    Parameters
    ----------
    *overrides
        Settings that differ from the defaults, such as ``"seed=7"`` or ``"store.uri=/tmp/models"``.
    config_dir
        Folder of YAML files that are merged over the defaults.
    allow_mismatch
        Whether to load versions that were made by another minor version of scikit-learn; their
        predictions carry a warning.

    Attributes
    ----------
    settings
        All settings.
    spec
        Specification of the table: columns, target, id.
    store
        Where the versions are kept.
    models
        The versions: list, compare, promote, roll back, delete, verify, send to MLflow.
    online
        Predictions of single rows by a version that stays loaded, as in a service.

    Raises
    ------
    SettingsError
        A setting is unknown, missing or wrong.
    DataError
        Raised by every method that reads a table which can't be used.
    ModelError
        Raised by every method that loads a version which can't be used.
    """

    def __init__(
        self, *overrides: str, config_dir: str | Path | None = None, allow_mismatch: bool = False
    ):
        settings = load_settings(overrides, config_dir)
        self._use(Workspace(overrides, settings, allow_mismatch))

    def _use(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.settings, self.spec, self.store = workspace.settings, workspace.spec, workspace.store
        self.models, self.online = Models(workspace), OnlinePredictor(workspace)

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"TitanicPipeline(env={s.env!r}, dataset={self.spec.name!r}, "
            f"data={shown(s.data.uri)!r}, store={shown(s.store.uri)!r}, seed={s.seed})"
        )

    @staticmethod
    def draft_dataset(
        table: str | Path,
        target: str,
        *,
        positive: str | None = None,
        id: str | None = None,
        name: str | None = None,
        config_dir: str | Path | None = None,
        force: bool = False,
    ) -> NewDataset:
        """Write the settings of a table of your own: ``conf/dataset/NAME.yaml``.

        Read and correct the file, then use it: ``TitanicPipeline("dataset=NAME")``.

        Parameters
        ----------
        table
            URI of the table.
        target
            Name of the column to predict.
        positive
            Value of the target to predict, by default the rarer of two.
        id
            Name of the column that identifies a row, by default found by its name.
        name
            Name of the dataset, by default that of the file.
        config_dir
            Folder of settings, by default ``conf`` of the working folder.
        force
            Whether to replace an existing file.

        Returns
        -------
        NewDataset
            Name and path of the dataset, kinds of the columns, and suspected leaks.

        Raises
        ------
        DataError
            The table can't be read, or has no such column, too few rows or values of the target.
        SettingsError
            The name is malformed or that of a dataset of the package, or the file exists.
        """
        from titanic_ml.workflows.new_dataset import DatasetDrafter

        return DatasetDrafter(
            table=str(table),
            target=target,
            positive=positive,
            id=id,
            name=name,
            config_dir=config_dir,
            force=force,
        ).run()

    def like(self, model: str) -> TitanicPipeline:
        """Return a pipeline with the settings of a version, to train the same model again.

        Parameters
        ----------
        model
            Name or alias of the version.

        Returns
        -------
        TitanicPipeline
            Its settings are those of the version, except for the overrides of this pipeline and
            the addresses of its store and scratch folder. Unless a table is named, its `train`
            refuses a table that has changed since the version was trained.
        """
        other = copy(self)
        other._use(self._workspace.like(self._workspace.version(model)))
        return other

    def validate(self, data: Table | None = None, with_target: bool | None = None) -> Validation:
        """Check a table as a training or a prediction does, and report all faults.

        Parameters
        ----------
        data
            A table or its URI, by default `data.uri` of the settings.
        with_target
            Whether the target must be present and valid; None to check it if it is present.

        Returns
        -------
        Validation
            Number of rows, and the faults, each with its row and column.
        """
        from titanic_ml.workflows.validation import validate

        return validate(self.settings.data.uri if data is None else data, self.spec, with_target)

    def train(
        self,
        data: Table | None = None,
        progress: Progress | None = None,
        *,
        promote: bool = True,
        run_id: str | None = None,
    ) -> TrainingResult:
        """Choose a model, fit it, measure it, save it as a version and try to promote it.

        An interrupted training continues where it stopped. If `tracking.uri` is set, the version
        is sent to MLflow; if that is away, the version is sent later by ``models.track``.

        Parameters
        ----------
        data
            A table with its target, or its URI, by default `data.uri` of the settings.
        progress
            Called with the number of finished steps, the number of all steps, and a description.
        promote
            Whether the version may become the champion.
        run_id
            Id of this training. If a training with this id has already saved a version, only what
            is missing after that is done, so a scheduler may repeat the call at any time.

        Returns
        -------
        TrainingResult
            Version, chosen estimator, metrics, and whether it was promoted.

        Raises
        ------
        DataError
            The table can't be read or has faults; nothing is written.
        ModelError
            The store can't be written; found before the work starts.
        SettingsError
            The scratch folder can't be written, or `tracking.uri` is set and MLflow is not
            installed; found before the work starts.
        """
        from titanic_ml.workflows.training import TrainingWorkflow

        return TrainingWorkflow(self._workspace, progress).run(data, promote, run_id)

    def evaluate(self, data: Table | None = None, model: str = "champion") -> Evaluation:
        """Measure a version on a table with its target, by slice and against the baselines.

        Parameters
        ----------
        data
            A table with its target, or its URI. Without it, the result is the out-of-fold
            evaluation of the training, with the one in grouped folds.
        model
            Name or alias of the version.

        Returns
        -------
        Evaluation
            Metrics with their intervals, slices, and differences to the baselines.
        """
        from titanic_ml.workflows.evaluation import VersionEvaluation

        return VersionEvaluation(self._workspace).evaluate(data, model)

    def explain(
        self, id: int | str, data: Table | None = None, model: str = "champion"
    ) -> Explanation:
        """Explain which features moved the prediction for one row of a table, and by how much.

        Parameters
        ----------
        id
            Id of the row.
        data
            A table or its URI, by default `data.uri` of the settings; its target is ignored.
        model
            Name or alias of the version.

        Returns
        -------
        Explanation
            Probability, and what each group of features adds to it or takes off.
        """
        from titanic_ml.workflows.evaluation import VersionEvaluation

        return VersionEvaluation(self._workspace).explain(id, data, model)

    def report(self, model: str = "champion") -> Report:
        """Return the report of a version: its facts, a verdict and figures.

        Parameters
        ----------
        model
            Name or alias of the version.

        Returns
        -------
        Report
            Facts, verdict, and figures as SVG.
        """
        from titanic_ml.reporting.report import Report

        return Report.of(self._workspace.version(model))

    def predict(
        self, data: Table, model: str = "champion", probability: bool = False
    ) -> pd.DataFrame:
        """Predict the class of each row of a table.

        Parameters
        ----------
        data
            A table or its URI; its target is ignored.
        model
            Name or alias of the version.
        probability
            Whether to add a column `probability`, that of the positive class.

        Returns
        -------
        DataFrame
            Id and class in the order of the rows, (n, 2); ``attrs["version"]`` is the name of the
            version.
        """
        from titanic_ml.workflows.batch import predict_frame

        return predict_frame(self._workspace, data, model, probability)

    def predict_into(
        self,
        output: str | Path | None = None,
        data: Table | None = None,
        model: str = "champion",
        *,
        full: bool = False,
        probability: bool = False,
        rejects: str | Path | None = None,
        run_id: str | None = None,
        batch_rows: int = 3 << 14,
        progress: Callable[[int, float | None], None] | None = None,
    ) -> Predictions:
        """Predict a table of any size into another, batch by batch: all of it, or nothing.

        Rows written to Parquet or a database also have the probability, the version, the time and
        the id of the run; they replace rows that the same run has written before.

        Parameters
        ----------
        output
            URI of the table to write, by default `predictions.uri` of the settings.
        data
            A table or its URI, by default `predictions.input` of the settings; its target is
            ignored.
        model
            Name or alias of the version.
        full
            Whether a CSV has probability, version and time too.
        probability
            Whether a CSV has the probability too.
        rejects
            URI of a table for the rows with faults, written with their numbers and reasons while
            the other rows are predicted. Without it, one row with faults refuses the table.
        run_id
            Id of the run, by default derived from the content of the input and the version.
        batch_rows
            Largest number of rows in memory.
        progress
            Called with the number of rows read, and the share of the table read, 0 to 1 (None if
            unknown).

        Returns
        -------
        Predictions
            Numbers of rows read, predicted and rejected, the version and the id of the run.

        Raises
        ------
        SettingsError
            An address is of an unknown kind, or an output is also an input; nothing is written.
        """
        from titanic_ml.workflows.batch import BatchPrediction

        batch = BatchPrediction(
            workspace=self._workspace,
            output=output,
            data=data,
            model=model,
            full=full,
            probability=probability,
            rejects=rejects,
            run_id=run_id,
            batch_rows=batch_rows,
        )
        return batch.run(progress)

    def predict_one(self, row: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
        """Predict one row by the version that `online` has loaded, at first the champion.

        Parameters
        ----------
        row
            Values by the name of their column. Missing values are None; the id and nullable
            columns may be left out. The target is ignored.

        Returns
        -------
        dict
            Id (None if the row has none) and class under the names of the table, `probability`
            and `model_version`, equal to those of `predict`.
        """
        return self.online.predict_one(row)

    def explain_one(self, row: Mapping[str, Any]) -> Explanation:
        """Explain the prediction of `predict_one` for a row.

        Parameters
        ----------
        row
            Values by the name of their column, as in `predict_one`.

        Returns
        -------
        Explanation
            Probability, and what each group of features adds to it or takes off.
        """
        return self.online.explain_one(row)

    def monitor(
        self,
        log: Table | None = None,
        model: str = "champion",
        *,
        since: str | None = None,
        labels: Table | None = None,
        page: str | Path | None = None,
    ) -> Monitoring:
        """Check whether later rows have drifted from the training rows of a version.

        Parameters
        ----------
        log
            A prediction log or another table, or its URI, by default `monitoring.log` of the
            settings. Rows without a logged prediction are predicted.
        model
            Name or alias of the version.
        since
            Ignore earlier rows: a time, or an age such as ``7d``.
        labels
            A table of ids with their outcomes, or its URI; the version is measured on them.
        page
            File to write a report in HTML into.

        Returns
        -------
        Monitoring
            Drift of each column and of the probability, and the performance on `labels`.
        """
        from titanic_ml.workflows.monitoring import DriftCheck

        check = DriftCheck(
            workspace=self._workspace, log=log, model=model, since=since, labels=labels, page=page
        )
        return check.run()
