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
class Models:
    """The versions of a store. A `model` is the name of a version or an alias.

    Raises
    ------
    ModelError
        By every method: there is no such version, or it is at fault.
    """

    workspace: Workspace

    def list(self) -> Sequence[ModelVersion | ModelRefused]:
        """All versions, the newest first; one that is damaged as the error that says so."""
        return self.workspace.store.versions()

    def history(self) -> Sequence[Entry]:
        """All changes of the champion, the oldest first."""
        return self.workspace.store.champion.history()

    def compare(self, first: str, second: str = "champion") -> Comparison:
        """Put two versions side by side: all metrics, and the rows that both were scored on."""
        from titanic_ml.evaluation.gate import compare_out_of_fold  # start-up time

        s, store = self.workspace.settings, self.workspace.store
        a, b = store.open(first), store.open(second)
        confidence = s.evaluation.confidence
        found = compare_out_of_fold(a.out_of_fold, b.out_of_fold, confidence, s.seed)
        metrics = a.manifest.metrics, b.manifest.metrics
        return Comparison((a.name, b.name), metrics, found.rows, found.gain)

    def promote(self, model: str = "latest", force: bool = False, note: str = "") -> str:
        """Make a version the champion if it is not worse on the rows that both were scored on.

        Each is judged by its out-of-fold probabilities, so neither has seen the rows.

        Parameters
        ----------
        model
            A version or an alias.
        force
            Whether to skip the gate.
        note
            An addition to the history.

        Returns
        -------
        str
            Why it was promoted.

        Raises
        ------
        PromotionRefused
            It is worse by more than the margin, or no rows are shared; the champion stays.
        """
        version = self.workspace.version(model)
        why = self._promote(version, force, note)
        self._send_champion(version.name)
        return why

    def rollback(self, why: str = "") -> str:
        """Make the champion before this one the champion again, and return its name."""
        champion = self.workspace.store.rollback(why)
        self._send_champion(champion)
        return champion

    def delete(self, model: str) -> str:
        """Remove a version for good, unless it is the champion or the latest; return its name."""
        return self.workspace.store.delete(model)

    def verify(self, age: timedelta = timedelta(days=1)) -> Verification:
        """Read every file of every version and the history; remove unfinished files of that age."""
        return self.workspace.store.verify(age)

    def track(self, model: str | None = None) -> Tracked:
        """Send MLflow the versions and the champion that it has not received yet.

        Parameters
        ----------
        model
            A version or an alias that is sent in any case. Without it, all versions of the store
            are sent if MLflow has none.

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
            Its training; where it says that the version was promoted before, that is not repeated.
        promote
            Whether the version may become the champion now.
        """
        promoted, failed, why = result.promoted, False, result.why or "that was not asked for"
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
        from titanic_ml.registry.promotion import promote  # start-up time

        margin = self.workspace.settings.promotion.margin
        return promote(self.workspace.store, version, margin, force, note)

    def _send_champion(self, version: str) -> None:
        """Send MLflow the champion and what else is missing, where `tracking.uri` is set."""
        if tracking := self.workspace.tracking():
            sent = tracking.send(version)
            if sent.why:
                log.warning("%s", sent)
