"""Compare later rows with the training rows of a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from titanic_ml.dataset.faults import NO_ROWS
from titanic_ml.errors import DataError, InvalidTable, MissingTable, ModelError, SettingsError
from titanic_ml.evaluation.gate import row_losses_of
from titanic_ml.monitoring.drift import Drift, DriftDetector
from titanic_ml.monitoring.logged import Logged, moment, newest, truths
from titanic_ml.monitoring.performance import Performance, compared
from titanic_ml.monitoring.profile import Profile
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.registry.version import PROFILE, ModelVersion
from titanic_ml.results import Monitoring
from titanic_ml.storage.files import write_page
from titanic_ml.storage.same_place import refuse_shared
from titanic_ml.storage.tables import Table, as_frame, name_of, open_table
from titanic_ml.workflows.workspace import Workspace, group_labels


@dataclass(frozen=True, kw_only=True)
class DriftCheck:
    """One check of later rows. Attributes and errors are those of `TitanicPipeline.monitor`."""

    workspace: Workspace
    log: Table | None = None
    model: str = "champion"
    since: str | None = None
    labels: Table | None = None
    page: str | Path | None = None

    def run(self) -> Monitoring:
        """Compare the rows' columns and probabilities with those of the training."""
        self._refuse_shared_page()
        start = None if self.since is None else moment(self.since)
        version = self.workspace.version(self.model)
        if PROFILE not in version.manifest.files:
            raise ModelError(f"{version.name} was trained before profiles were kept; train anew")
        rows = self._rows(version, start)
        known, probability = _answers(version, rows)
        outcome = Monitoring(
            version=version.name,
            table=name_of(self._log),
            since=None if start is None else start.isoformat(timespec="seconds"),
            invalid=rows.invalid,
            known=int(known.sum()),
            drift=self._drift(version, rows, probability),
            performance=self._performance(version, rows, probability),
            volume=rows.volume(),
        )
        if self.page is not None:
            write_page(Path(self.page), outcome.to_html())
        return outcome

    @property
    def _log(self) -> Table:
        """The table of later rows, by default the log of the settings."""
        log = self.workspace.settings.monitoring.log if self.log is None else self.log
        if log is None:
            raise SettingsError("no log: name a table, or set monitoring.log")
        return log

    def _refuse_shared_page(self) -> None:
        read = {"input": self._log, "labels": self.labels}
        read |= {"predictions.uri": self.workspace.settings.predictions.uri}
        refuse_shared(read | self.workspace.inputs, {"report": self.page})

    def _rows(self, version: ModelVersion, start: datetime | None) -> Logged:
        """Read the rows of the log, or of a table, since a time."""
        name = name_of(self._log)
        try:
            with open_table(self._log) as source:
                found = newest((batch.frame for batch in source.batches()), name, start)
        except MissingTable as error:
            if self.log is not None:
                raise
            raise DataError(
                f"{name}: no predictions yet; a service writes them there every few seconds"
            ) from error
        if found.empty and start is None:
            raise InvalidTable(name, [NO_ROWS])
        return Logged.of(found, version.spec, name)

    def _drift(self, version: ModelVersion, rows: Logged, probability: np.ndarray) -> Drift:
        s = self.workspace.settings.monitoring
        profile = Profile.from_dict(version.profile)
        detector = DriftDetector(s.alpha, s.threshold, s.shift)
        return detector.compare(profile, rows.X, probability[~np.isnan(probability)])

    def _performance(
        self, version: ModelVersion, rows: Logged, probability: np.ndarray
    ) -> Performance | None:
        """Measure the version on predicted rows with known outcomes."""
        if self.labels is None:
            return None
        name, ids = name_of(self.labels), rows.ids
        known = truths(as_frame(self.labels), version.spec, name)
        y = ids.map(known).to_numpy("float64")
        both = ~(np.isnan(y) | np.isnan(probability))
        y, probability = y[both].astype("int64"), probability[both]
        if len(np.unique(y)) < 2:
            raise DataError(
                f"{name}: {len(y)} outcomes of rows that {version.name} predicted and was not "
                f"trained on (of {len(ids)} rows, {ids.isin(list(known)).sum()} have an outcome), "
                "expected some of both classes"
            )
        groups = group_labels(version.spec, rows.X[both])
        now = self.workspace.evaluator(version.spec).evaluate(
            y, probability, version.threshold, groups=groups
        )
        losses, before = row_losses_of(version.out_of_fold), version.manifest.metrics
        alpha = self.workspace.settings.monitoring.alpha
        return compared(now, y, probability, before, losses, alpha)


def _answers(version: ModelVersion, rows: Logged) -> tuple[np.ndarray, np.ndarray]:
    """Mark the rows that a version was trained on, (n,) bool, and predict the other rows.

    The probability is what the version answered, or would answer; NaN where another version
    answered, and for rows with a fault.
    """
    known = np.isin(rows.dataset.row_hashes, version.out_of_fold["row"])
    probability = rows.probability_by(version.name)
    if probability is None:
        probability = np.full(len(rows.X), np.nan)
        if rows.right.any():
            probability[rows.right] = Predictor(version.model).probability(rows.answerable)
    return known, np.where(known, np.nan, probability)  # of its own rows it knows too much
