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
    from titanic_ml.results import Monitoring, Predictions, Progress, TrainingResult, Validation

# Imported in functions: each workflow, so that a prediction does without what a training imports.


class TitanicPipeline:
    """Train, evaluate and predict with one set of settings.

    A table is a DataFrame, an Arrow table of any library (pyarrow, polars), a row as a dict or a
    Series, a list of rows, or the URI of a table. Wherever a method takes a `model`, it is the name
    of a version or an alias, looked up once; a version that was loaded is kept, so the next call
    reads no more than where the alias points. Any number of threads may ask one pipeline.

    Parameters
    ----------
    *overrides
        Settings that differ from the defaults, such as ``"seed=7"`` or ``"store.uri=/tmp/models"``.
    config_dir
        A folder of YAML files that are merged over the defaults in `conf/`.
    allow_mismatch
        Whether to load versions that another minor version of scikit-learn made; what they answer
        has a warning.

    Attributes
    ----------
    settings, spec, store
        All settings, the specification of the table, and where versions are.
    models
        The versions: list, compare, promote, roll back, history, delete, verify, send to MLflow.
    online
        Predicts single rows by a version that stays loaded, as a service does.

    Raises
    ------
    SettingsError
        A setting is unknown, missing or wrong.
    DataError, ModelError
        By every method: a table, or a version, is at fault.
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

    def like(self, model: str) -> TitanicPipeline:
        """A pipeline with the settings of a version, which trains the same model again.

        What is overridden here stays so, and what says where store and scratch are. It trains on
        the version's table; unless a table is named, another one than then is refused.
        """
        other = copy(self)
        other._use(self._workspace.like(self._workspace.version(model)))
        return other

    def validate(self, data: Table | None = None, with_target: bool | None = None) -> Validation:
        """Check a table as a training or a prediction does, and report all faults.

        Parameters
        ----------
        data
            A table or its URI, by default the settings' `data.uri`.
        with_target
            Whether the target must be present and valid; None to check it if it is present.
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

        An interrupted training continues where it stopped. Where `tracking.uri` is set, the version
        is sent to MLflow; if that can't be reached, it waits (`models.track`).

        Parameters
        ----------
        data
            A table or its URI, by default the settings' `data.uri`.
        progress
            Called with the work done and all of it, two numbers, and what is being done.
        promote
            Whether it may become the champion now.
        run_id
            An id of this training. If a training of the same id has saved a version, that is not
            repeated, only what it left undone: so a scheduler may try again at any time.

        Raises
        ------
        DataError
            The table can't be read or has faults; then nothing is written.
        ModelError, SettingsError
            The store or the scratch folder can't be written, or MLflow is not installed where
            `tracking.uri` is set: found before the work starts.
        """
        from titanic_ml.workflows.training import TrainingWorkflow

        return TrainingWorkflow(self._workspace, progress).run(data, promote, run_id)

    def evaluate(self, data: Table | None = None, model: str = "champion") -> Evaluation:
        """Measure a version on a table with its target, by slice and against the baselines.

        Without a table it is what was measured in the training, for each of its rows by models that
        had not seen it, and in grouped folds.
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
            The row's.
        data
            A table or its URI, by default the settings' `data.uri`; its target is ignored.
        """
        from titanic_ml.workflows.evaluation import VersionEvaluation

        return VersionEvaluation(self._workspace).explain(id, data, model)

    def report(self, model: str = "champion") -> Report:
        """Return the facts of a version, the verdict that follows from them, and its figures."""
        from titanic_ml.reporting.report import Report

        return Report.of(self._workspace.version(model))

    def predict(
        self, data: Table, model: str = "champion", probability: bool = False
    ) -> pd.DataFrame:
        """Return ids and classes, in the order of the rows; `attrs["version"]` names the version.

        Parameters
        ----------
        data
            A table or its URI; its target is ignored.
        probability
            Whether to add a column of that name.
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

        Where the output is Parquet or a database its rows have the probability, the version, the
        time and the run's id too, and what the same run has left there before is replaced.

        Parameters
        ----------
        output
            The URI of a table, by default the settings' `predictions.uri`.
        data
            A table or its URI, by default the settings' `predictions.input`; its target is ignored.
        full, probability
            Whether a CSV gets probability, version and time, or the first of these.
        rejects
            The URI of a table to which bad rows are written whole, with number and reasons, while
            the good ones are predicted. Without it one bad row refuses the table.
        run_id
            The run's id, by default derived from the input's content and the version.
        batch_rows
            How many rows are in memory at most.
        progress
            Called with how many rows were read, and how much of the table (None if unknown).

        Raises
        ------
        SettingsError
            An address is of no known kind, or an output is an input; then nothing is done.
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

    def predict_one(self, passenger: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
        """Predict one row, by the version that was loaded first (`online`): the champion then.

        Parameters
        ----------
        passenger
            The columns of a row with their values. Missing values are None; the id, and columns
            that may be missing, can be left out. The target is ignored.

        Returns
        -------
        dict
            Id (None if the row has none) and class under the names of the table, `probability`
            and `model_version`, equal to those of `predict`.
        """
        return self.online.predict_one(passenger)

    def explain_one(self, passenger: Mapping[str, Any]) -> Explanation:
        """Explain the prediction of `predict_one` for a row."""
        return self.online.explain_one(passenger)

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
            A prediction log or another table, or its URI; by default the settings'
            `monitoring.log`. Where it doesn't say what the version answered, that is computed.
        since
            Look at what was answered from then on: a time, or how long ago, such as ``7d``.
        labels
            A table of ids with their outcomes, or its URI. Where they are known, the version is
            measured again.
        page
            A file into which a report in HTML is written.
        """
        from titanic_ml.workflows.monitoring import DriftCheck

        check = DriftCheck(
            workspace=self._workspace, log=log, model=model, since=since, labels=labels, page=page
        )
        return check.run()
