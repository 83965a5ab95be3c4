"""Processes that work beside this one, and end with it."""

from __future__ import annotations

import atexit
import gc
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs

SECONDS = 1.0  # between two looks at whether the parent is still there
_watched = threading.Event()


def in_parallel(
    n_jobs: int, function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], ordered: bool = True
) -> Iterator[Any]:
    """Call the function with each job's arguments in `n_jobs` processes; the results as they come,
    or in the order of the jobs.

    A process that is killed takes its workers with it, for each looks after its parent.
    """
    parent = os.getpid()

    def run(*job: Any) -> Any:
        _end_with(parent)
        return function(*job)

    how = "generator" if ordered else "generator_unordered"
    return Parallel(n_jobs, return_as=how, pre_dispatch="all")(delayed(run)(*j) for j in jobs)


def start(n_jobs: int, *modules: str) -> None:
    """Let the processes of `in_parallel` start and import modules, without waiting for them.

    What can't be imported, the work itself will miss.
    """
    parent, processes = os.getpid(), effective_n_jobs(n_jobs)

    def load() -> None:
        if os.getpid() != parent:  # threads share what this one imports
            gc.disable()  # imports make many objects and no garbage
            try:
                with suppress(ImportError):
                    for module in modules:
                        import_module(module)
            finally:
                gc.enable()

    if processes > 1:
        loaded = in_parallel(n_jobs, load, [()] * processes)
        threading.Thread(target=deque, args=(loaded, 0), daemon=True).start()


def _end_with(parent: int) -> None:
    """In a worker, end the process soon after its parent has gone, and at once when told to."""
    if os.getpid() != parent and not _watched.is_set():
        _watched.set()
        atexit.register(gc.freeze)  # else the parent waits while all that was imported is freed
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)
