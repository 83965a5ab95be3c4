"""The versions of the store: which is the champion, and what MLflow is sent about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from titanic_ml.errors import ModelError, ModelRefused, PromotionRefused, SettingsError
from titanic_ml.registry.aliases import Entry
from titanic_ml.registry.store import Verification
from titanic_ml.registry.version import ModelVersion
from titanic_ml.results import Comparison, TrainingResult
from titanic_ml.workflows.workspace import Workspace

if TYPE_CHECKING:
    from titanic_ml.integrations.tracking import Tracked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Models:  # numpydoc ignore=PR02
    """Manage the versions of a store. A `model` is the name or alias of a version.

    Parameters
    ----------
    workspace
        Settings and store.

    Raises
    ------
    ModelError
        Raised by every method if the version doesn't exist or can't be used.
    """

    workspace: Workspace

    def list(self) -> Sequence[ModelVersion | ModelRefused]:
        """List all versions.

        Returns
        -------
        list
            Versions, the newest first; for a damaged one, the error that describes the damage.
        """
        return self.workspace.store.versions()

    def history(self) -> Sequence[Entry]:
        """List all changes of the champion.

        Returns
        -------
        list of Entry
            Changes with their time, version and reason, the oldest first.
        """
        return self.workspace.store.champion.history()

    def compare(self, first: str, second: str = "champion") -> Comparison:
        """Compare two versions by their metrics and by the rows that both were scored on.

        Parameters
        ----------
        first, second
            Names or aliases of the versions.

        Returns
        -------
        Comparison
            Metrics of both, and the paired difference of their log losses.
        """
        from titanic_ml.evaluation.gate import compare_out_of_fold  # start-up time

        s, store = self.workspace.settings, self.workspace.store
        a, b = store.open(first), store.open(second)
        confidence = s.evaluation.confidence
        found = compare_out_of_fold(a.out_of_fold, b.out_of_fold, confidence, s.seed)
        metrics = a.manifest.metrics, b.manifest.metrics
        return Comparison((a.name, b.name), metrics, found.rows, found.gain)

    def promote(self, model: str = "latest", force: bool = False, note: str = "") -> str:
        """Make a version the champion if it is not worse on the rows that both were scored on.

        The comparison uses out-of-fold probabilities, so neither version was trained on the rows.

        Parameters
        ----------
        model
            Name or alias of the version.
        force
            Whether to skip the gate.
        note
            Text that is added to the history.

        Returns
        -------
        str
            Reason of the promotion.

        Raises
        ------
        PromotionRefused
            The version may be worse by more than the margin, or shares too few rows; the champion
            stays.
        """
        version = self.workspace.version(model)
        why = self._promote(version, force, note)
        self._send_champion(version.name)
        return why

    def rollback(self, why: str = "") -> str:
        """Make the previous champion the champion again.

        Parameters
        ----------
        why
            Reason for the history.

        Returns
        -------
        str
            Name of the version that is the champion now.
        """
        champion = self.workspace.store.rollback(why)
        self._send_champion(champion)
        return champion

    def delete(self, model: str) -> str:
        """Remove a version for good.

        Parameters
        ----------
        model
            Name of the version.

        Returns
        -------
        str
            Name of the removed version.

        Raises
        ------
        ModelError
            The version is the champion or the latest; it is kept.
        """
        return self.workspace.store.delete(model)

    def verify(self, age: timedelta = timedelta(days=1)) -> Verification:
        """Check every file of every version and the history, and remove unfinished files.

        Parameters
        ----------
        age
            Unfinished files younger than this are kept, since a writer may still be at work.

        Returns
        -------
        Verification
            Number of versions, faults found, and files removed.
        """
        return self.workspace.store.verify(age)

    def track(self, model: str | None = None) -> Tracked:
        """Send MLflow the versions and the champion that it has not received yet.

        Parameters
        ----------
        model
            Name or alias of a version that is sent in any case. Without it, all versions of the
            store are sent if MLflow has none.

        Returns
        -------
        Tracked
            What was sent, and what is still missing.

        Raises
        ------
        SettingsError
            There is no `tracking.uri`, or MLflow is not installed.
        """
        tracking = self.workspace.tracking()
        if tracking is None:
            raise SettingsError(
                "tracking.uri is null: name an MLflow server, or a file, as in "
                "tracking.uri=sqlite:///mlflow.db"
            )
        return tracking.send(model and self.workspace.store.open(model).name)

    def announce(
        self, version: ModelVersion, result: TrainingResult, promote: bool
    ) -> TrainingResult:
        """Try to promote a saved version, and send it to MLflow where that is set.

        Parameters
        ----------
        version
            The version.
        result
            Result of its training; a promotion that it records is not repeated.
        promote
            Whether the version may become the champion.

        Returns
        -------
        TrainingResult
            The result, with the promotion and MLflow's answer.
        """
        promoted, failed, why = result.promoted, False, result.why or "no promotion was requested"
        if promote and not promoted:
            try:
                why, promoted = self._promote(version), True
            except ModelError as error:
                why, failed = str(error), not isinstance(error, PromotionRefused)
                log.info("%s is not promoted: %s", version.name, why)
        tracking = self.workspace.tracking()
        tracked = tracking.send(version.name) if tracking else None
        return replace(result, promoted=promoted, why=why, failed=failed, tracked=tracked)

    def _promote(self, version: ModelVersion, force: bool = False, note: str = "") -> str:
        from titanic_ml.registry.promotion import Gate, promote  # start-up time

        s = self.workspace.settings
        gate = Gate(s.promotion.margin, s.promotion.min_rows, s.evaluation.confidence)
        return promote(self.workspace.store, version, gate, force, note)

    def _send_champion(self, version: str) -> None:
        """Send MLflow the champion and what else is missing, where `tracking.uri` is set."""
        if tracking := self.workspace.tracking():
            sent = tracking.send(version)
            if sent.why:
                log.warning("%s", sent)
