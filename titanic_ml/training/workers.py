"""Parallel processes that end with their parent."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed

from titanic_ml.errors import WorkersFailed

SECONDS = 1.0  # between two checks that the parent is alive
_watched = threading.Event()


def in_parallel(
    n_jobs: int, function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], ordered: bool = True
) -> Iterator[Any]:
    """Call a function with each job's arguments in `n_jobs` processes.

    Results are yielded as they come, or in the order of the jobs. A worker watches its parent, and
    ends with it: joblib's own keep computing after their parent was killed by SIGKILL.

    Raises
    ------
    WorkersFailed
        Raised by the call or the iteration: a worker died or can't be started.
    """
    how = "generator" if ordered else "generator_unordered"
    with _errors_translated():
        parallel = Parallel(
            n_jobs,
            return_as=how,
            pre_dispatch="all",
            initializer=_end_with,
            initargs=(os.getpid(),),
        )
        results = parallel(delayed(function)(*job) for job in jobs)
    return _iterate(results)


def _iterate(results: Iterator[Any]) -> Iterator[Any]:
    with _errors_translated():
        yield from results


@contextmanager
def _errors_translated() -> Iterator[None]:
    """Raise `WorkersFailed` if a worker dies or can't be started."""
    try:
        yield
    except (BrokenProcessPool, OSError) as error:
        raise WorkersFailed(_reason(error)) from error


def _reason(error: BrokenProcessPool | OSError) -> str:
    if not sys.executable or not os.access(sys.executable, os.X_OK):
        return (
            f"worker processes can't run the interpreter {sys.executable!r}; start the program "
            "with the python of its environment, or set n_jobs=1"
        )
    if isinstance(error, BrokenProcessPool):
        return (
            "a worker process was killed, often for lack of memory; free memory or set n_jobs=1, "
            "and run the same command, which continues with the folds that were finished"
        )
    return (
        f"worker processes of {sys.executable} can't be used: {error.strerror or error}; free "
        "temporary files and shared memory, or set n_jobs=1"
    )


def _end_with(parent: int) -> None:
    """End a worker process soon after its parent has ended."""
    if os.getpid() != parent and not _watched.is_set():
        _watched.set()
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)
