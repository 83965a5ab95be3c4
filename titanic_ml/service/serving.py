"""State that all routes of the service share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from titanic_ml.errors import TitanicError
from titanic_ml.monitoring.log import PredictionLog
from titanic_ml.service.champion import SECONDS, Champion
from titanic_ml.service.metrics import Metrics
from titanic_ml.service.micro_batcher import MicroBatcher
from titanic_ml.service.requests import Refused
from titanic_ml.storage.same_place import STORE, refuse_shared

if TYPE_CHECKING:
    from titanic_ml.dataset.spec import DatasetSpec
    from titanic_ml.pipeline import TitanicPipeline


def _spec_of(pipeline: TitanicPipeline, model: str) -> DatasetSpec:
    """Return the specification of a version; of the settings if there is none that can be used."""
    try:
        return pipeline.store.open(pipeline.store.resolve(model)).spec
    except TitanicError:
        return pipeline.spec


def prediction_log(pipeline: TitanicPipeline, spec: DatasetSpec) -> PredictionLog | None:
    """Return an unstarted `PredictionLog` of such rows, or None if logging is disabled.

    Raises
    ------
    SettingsError, UnwritableTable
        It can't be written, or is a table that is read.
    """
    s = pipeline.settings
    read = {"data.uri": s.data.uri, "predictions.input": s.predictions.input, STORE: s.store.uri}
    refuse_shared(read, {"monitoring.log": s.monitoring.log})
    return None if s.monitoring.log is None else PredictionLog(s.monitoring.log, spec)


@dataclass
class Serving:
    """A pipeline with its champion, batcher, metrics and log.

    Attributes
    ----------
    pipeline
        Predicts.
    champion
        Keeps the right version loaded.
    first_spec
        Specification of the version at the start, which /docs shows.
    metrics
        Prometheus metrics.
    log
        Log of predictions; None if disabled.
    """

    pipeline: TitanicPipeline
    champion: Champion
    first_spec: DatasetSpec
    metrics: Metrics = field(default_factory=Metrics)
    log: PredictionLog | None = None
    micro_batcher: MicroBatcher = field(init=False)

    def __post_init__(self) -> None:
        self.micro_batcher = MicroBatcher(self.pipeline.online.predict_each)
        self.champion.after_look = self.update_metrics

    @classmethod
    def of(cls, pipeline: TitanicPipeline, model: str, seconds: float = SECONDS) -> Serving:
        """Serve the version that an alias points at, looked up every `seconds`."""
        spec = _spec_of(pipeline, model)
        log = prediction_log(pipeline, spec)
        return cls(pipeline, Champion(pipeline, model, seconds), spec, log=log)

    @property
    def spec(self) -> DatasetSpec:
        """Specification of the version that predicts; before it is loaded, of the first one."""
        return self.pipeline.online.spec or self.first_spec

    @property
    def keys(self) -> list[str]:
        """Valid API keys; empty if requests need none."""
        return self.pipeline.settings.service.keys

    def answering(self) -> str:
        """Return the version that predicts. Raises `Refused` without one."""
        if self.champion.version is None:
            why = self.champion.why
            raise Refused(503, self.shown(why) if why else "no version is loaded yet")
        return self.champion.version

    def shown(self, reason: str) -> str:
        """Return a reason for a response; without keys anyone can read it, so it names no place."""
        return (
            reason
            if self.keys
            else "a version or the log can't be used now; the service's log says why"
        )

    async def answer(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the prediction for one row, predicted together with concurrent ones.

        Raises
        ------
        InvalidTable
            The row has faults; it lists all of them.
        """
        return await self.micro_batcher.submit(row)

    def start(self) -> None:
        """Load the version, and start the log."""
        self.champion.start()
        if self.log:
            self.log.start()

    def stop(self) -> None:
        """Stop the look-ups, and write the rest of the log."""
        self.champion.stop()
        if self.log:
            self.log.stop()

    def answered(
        self, rows: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]
    ) -> None:
        """Count and log some predictions."""
        for answer in answers:
            self.metrics.predictions.labels(answer[self.spec.target]).inc()
        if self.log:
            self.log.add(rows, answers)

    def update_metrics(self) -> None:
        """Update the metrics that change without a request."""
        self.metrics.answers(self.champion.version, self.champion.refused)
        if self.log:
            self.metrics.log(self.log.written, self.log.dropped, bool(self.log.why))
