"""What all paths of the service have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from titanic_ml.monitoring.log import PredictionLog
from titanic_ml.service.champion import SECONDS, Champion
from titanic_ml.service.metrics import Metrics
from titanic_ml.service.micro_batcher import MicroBatcher
from titanic_ml.service.requests import Refused
from titanic_ml.storage.same_place import STORE, refuse_shared

if TYPE_CHECKING:
    from titanic_ml.dataset.spec import DatasetSpec
    from titanic_ml.pipeline import TitanicPipeline


def prediction_log(pipeline: TitanicPipeline) -> PredictionLog | None:
    """The log of answers that the settings name, not yet started; None if they name none.

    Raises
    ------
    SettingsError, UnwritableTable
        It can't be written, or is a table that is read.
    """
    s = pipeline.settings
    read = {"data.uri": s.data.uri, "predictions.input": s.predictions.input, STORE: s.store.uri}
    refuse_shared(read, {"monitoring.log": s.monitoring.log})
    return None if s.monitoring.log is None else PredictionLog(s.monitoring.log, pipeline.spec)


@dataclass
class Serving:
    """A pipeline that answers requests, and what is known of how it does.

    Attributes
    ----------
    pipeline
        Which answers.
    champion
        Keeps it at the right version.
    together
        Asks it for those who wait at the same moment.
    metrics
        What is counted.
    log
        Keeps what was answered; None if nothing is kept.
    """

    pipeline: TitanicPipeline
    champion: Champion
    metrics: Metrics = field(default_factory=Metrics)
    log: PredictionLog | None = None
    micro_batcher: MicroBatcher = field(init=False)

    def __post_init__(self) -> None:
        self.micro_batcher = MicroBatcher(self.pipeline.online.predict_each)
        self.champion.after_look = self.tell

    @classmethod
    def of(cls, pipeline: TitanicPipeline, model: str, seconds: float = SECONDS) -> Serving:
        """By the version that an alias points at, looked at every so many seconds."""
        return cls(pipeline, Champion(pipeline, model, seconds), log=prediction_log(pipeline))

    @property
    def spec(self) -> DatasetSpec:
        """What a passenger is."""
        return self.pipeline.spec

    @property
    def keys(self) -> list[str]:
        """Keys of which a request must have one; empty if none is needed."""
        return self.pipeline.settings.service.keys

    def answering(self) -> str:
        """The version that answers. Raises `Refused` if none does."""
        if self.champion.version is None:
            raise Refused(503, self.champion.why or "no version is loaded yet")
        return self.champion.version

    async def answer(self, passenger: Mapping[str, Any]) -> dict[str, Any]:
        """Return the prediction for one passenger, predicted together with concurrent ones.

        Raises
        ------
        InvalidTable
            With all faults of the passenger.
        """
        return await self.micro_batcher.submit(passenger)

    def start(self) -> None:
        """Load the version, and keep what is answered from now on."""
        self.champion.start()
        if self.log:
            self.log.start()

    def stop(self) -> None:
        """Write down what was answered and is not yet kept."""
        self.champion.stop()
        if self.log:
            self.log.stop()

    def answered(
        self, passengers: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]
    ) -> None:
        """Count and keep some answers."""
        for answer in answers:
            self.metrics.predictions.labels(answer[self.spec.target]).inc()
        if self.log:
            self.log.add(passengers, answers)

    def tell(self) -> None:
        """Let the metrics have what changes without a request."""
        self.metrics.answers(self.champion.version, self.champion.refused)
        if self.log:
            self.metrics.log(self.log.written, self.log.dropped, bool(self.log.why))
