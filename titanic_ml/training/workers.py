"""Parallel processes that end with their parent."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from joblib import Parallel, delayed

SECONDS = 1.0  # between two checks that the parent is alive
_watched = threading.Event()


def in_parallel(
    n_jobs: int, function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], ordered: bool = True
) -> Iterator[Any]:
    """Call a function with each job's arguments in `n_jobs` processes.

    Results are yielded as they come, or in the order of the jobs. A worker watches its parent, and
    ends with it: joblib's own keep computing after their parent was killed by SIGKILL.
    """
    parent = os.getpid()

    def run(*job: Any) -> Any:
        _end_with(parent)
        return function(*job)

    how = "generator" if ordered else "generator_unordered"
    return Parallel(n_jobs, return_as=how, pre_dispatch="all")(delayed(run)(*j) for j in jobs)


def _end_with(parent: int) -> None:
    """In a worker, end the process soon after its parent has ended."""
    if os.getpid() != parent and not _watched.is_set():
        _watched.set()
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)
