"""The version that answers: loaded beside the one before, and put in its place when it is ready."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from titanic_ml.errors import TitanicError
from titanic_ml.registry.aliases import CHAMPION

if TYPE_CHECKING:
    from titanic_ml.pipeline import TitanicPipeline

log = logging.getLogger(__name__)
SECONDS = 1.0  # between two looks at the alias


class Champion:
    """Keeps a pipeline warm with the version that an alias points at.

    A version that can't be loaded is refused, and the one before goes on answering. The alias is
    looked at every so many seconds; where it is the champion's and the store is a folder, `moved`
    tells at once that it has moved since, so that no request need be answered by a version that
    was no longer the champion when it came.

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
        self._next: str | None = None  # the file that will be there when the alias has moved
        self._looking = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)

    @property
    def moved(self) -> bool:
        """Whether the alias is known to have moved since the last look, in microseconds."""
        return self._next is not None and os.path.exists(self._next)

    def follow(self) -> None:
        """Look, unless another has done so since the alias moved; whatever happens, say so only."""
        with self._looking:
            if self.moved:
                self._look_anyway()

    def look(self) -> None:
        """Look who should answer now, and let it."""
        name, following = self.model, None
        try:
            if name == CHAMPION:  # first: what moves from here on is seen at the next question
                following = self.pipeline.store.champion.next_file()
            name = self.pipeline.store.resolve(self.model)
            if name == self.refused:
                return  # it is looked at again when the alias has changed
            if name != self.version:
                self.version = self.pipeline.online.warm(name)
                log.info("%s answers from now on", name)
            self.refused, self.why = None, ""
        except TitanicError as error:
            if (name, str(error)) != (self.refused, self.why):
                log.warning("%s is refused, %s goes on: %s", name, self.version or "nobody", error)
            self.refused, self.why = name, str(error)
        finally:
            self._next = following  # last: who asks meanwhile waits for it

    def start(self) -> None:
        """Look now, and then again and again in a thread."""
        with self._looking:
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
            with self._looking:
                self._look_anyway()

    def _look_anyway(self) -> None:
        try:
            self.look()
            self.after_look()
        except Exception:  # whatever it was, requests are answered all the same
            log.exception("the alias %s can't be looked up", self.model)
