import subprocess
import sys
import time

import pytest
from joblib import parallel_config

from titanic_ml.training.workers import in_parallel


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_are_in_the_order_of_the_jobs(n_jobs):
    with parallel_config("threading"):
        late = in_parallel(n_jobs, lambda wait, x: time.sleep(wait) or x, [(0.2, 1), (0, 2)])
        assert list(late) == [1, 2]


def test_results_come_as_they_are_done_where_the_order_is_nothing():
    with parallel_config("threading"):
        jobs = [(0.3, 1), (0, 2)]
        assert list(in_parallel(2, lambda w, x: time.sleep(w) or x, jobs, ordered=False)) == [2, 1]


ORPHAN = """
import os, sys, time
from titanic_ml.training import workers
workers.SECONDS = 0.05
if os.fork():
    time.sleep(0.3)  # the parent goes first
    os._exit(0)
workers._end_with(os.getppid())
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.system
@pytest.mark.posix
def test_a_worker_ends_soon_after_its_parent():
    start = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-c", ORPHAN]  # Python 3.12 warns of a fork
    done = subprocess.run(command, capture_output=True, timeout=50)
    # The pipe of the orphan's output is open as long as it lives, and it would live for a minute.
    assert done.stdout.strip().isdigit() and done.stderr == b""
    assert time.monotonic() - start < 40
