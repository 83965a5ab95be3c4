"""The version that answers: loaded beside the one before, and put in its place when it is ready."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from titanic_ml.errors import TitanicError

if TYPE_CHECKING:
    from titanic_ml.pipeline import TitanicPipeline

log = logging.getLogger(__name__)
SECONDS = 1.0  # between two looks at the alias


class Champion:
    """Keeps a pipeline warm with the version that an alias points at.

    A version that can't be loaded is refused, and the one before goes on answering.

    Parameters
    ----------
    pipeline
        Which answers.
    model
        A version or an alias.
    seconds
        Between two looks at the alias.

    Attributes
    ----------
    version
        Who answers; None before the first is loaded.
    refused
        The version that should answer and can't be loaded, or the alias; None if all is well.
    why
        What is wrong with it, in words.
    after_look
        Called after each look.
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
        """Look who should answer now, and let it."""
        name = self.model
        try:
            name = self.pipeline.store.resolve(self.model)
            if name == self.refused:
                return  # it is looked at again when the alias has changed
            if name != self.version:
                self.version = self.pipeline.warm(name)
                log.info("%s answers from now on", name)
            self.refused, self.why = None, ""
        except TitanicError as error:
            if (name, str(error)) != (self.refused, self.why):
                log.warning("%s is refused, %s goes on: %s", name, self.version or "nobody", error)
            self.refused, self.why = name, str(error)

    def start(self) -> None:
        """Look now, and then again and again in a thread."""
        self.look()
        self.after_look()
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self.seconds):
            try:
                self.look()
                self.after_look()
            except Exception:  # whatever it was, requests are answered all the same
                log.exception("the alias %s can't be looked up", self.model)
