"""The version that predicts: loaded beside the one before, and put in its place when ready."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from titanic_ml.errors import TitanicError

if TYPE_CHECKING:
    from titanic_ml.pipeline import TitanicPipeline

log = logging.getLogger(__name__)
SECONDS = 1.0  # between two look-ups of the alias


class Champion:
    """Keeps a pipeline warm with the version that an alias points at.

    The alias is looked up every `seconds`, so for that long (and while it is loaded) the
    version before predicts. A version that can't be loaded is refused, and the one before stays.

    Parameters
    ----------
    pipeline : predicts
    model : a version or an alias
    seconds : between two look-ups

    Attributes
    ----------
    version
        The version that predicts; None before the first is loaded.
    refused
        The version that can't be loaded, or the alias; None without one.
    why
        Why it is refused.
    after_look
        Called after each look-up.
    """

    def __init__(self, pipeline: TitanicPipeline, model: str, seconds: float = SECONDS) -> None:
        self.pipeline = pipeline
        self.model = model
        self.seconds = seconds
        self.version: str | None = None
        self.refused: str | None = None
        self.why = ""
        self.after_look: Callable[[], None] = lambda: None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)

    def look(self) -> None:
        """Look up the alias, and load its version if it is another one."""
        name = self.model
        try:
            name = self.pipeline.store.resolve(self.model)
            if name == self.refused:
                return  # until the alias changes
            if name != self.version:
                self.version = self.pipeline.online.warm(name)
                log.info("%s predicts from now on", name)
            self.refused, self.why = None, ""
        except TitanicError as error:
            if (name, str(error)) != (self.refused, self.why):
                log.warning("%s is refused, %s stays: %s", name, self.version or "none", error)
            self.refused, self.why = name, str(error)

    def start(self) -> None:
        """Look up the alias now, and then regularly in a thread."""
        self.look()
        self.after_look()
        self._thread.start()

    def stop(self) -> None:
        """Stop the look-ups."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self.seconds):
            try:
                self.look()
                self.after_look()
            except Exception:  # requests are still answered
                log.exception("the alias %s can't be looked up", self.model)
