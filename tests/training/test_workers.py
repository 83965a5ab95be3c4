import os
import subprocess
import sys
import time

import pytest
from joblib import parallel_config

from titanic_ml.training.workers import in_parallel, start


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_are_in_the_order_of_the_jobs(n_jobs):
    with parallel_config("threading"):
        late = in_parallel(n_jobs, lambda wait, x: time.sleep(wait) or x, [(0.2, 1), (0, 2)])
        assert list(late) == [1, 2]


def test_results_come_as_they_are_done_where_the_order_is_nothing():
    with parallel_config("threading"):
        jobs = [(0.3, 1), (0, 2)]
        assert list(in_parallel(2, lambda w, x: time.sleep(w) or x, jobs, ordered=False)) == [2, 1]


@pytest.mark.system
def test_workers_start_and_import_while_this_process_goes_on():
    start(2, "tabnanny")
    loaded = in_parallel(2, lambda: (os.getpid(), "tabnanny" in sys.modules), [()] * 2)
    assert any([ready and pid != os.getpid() for pid, ready in loaded])
    assert "tabnanny" not in sys.modules


def test_a_worker_that_can_not_import_is_left_to_the_work(capfd):
    start(2, "no_such_module")
    assert list(in_parallel(2, abs, [(-1,), (2,)])) == [1, 2]
    assert "no_such_module" not in capfd.readouterr().err


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


END = """
import os, sys
from titanic_ml.training import workers
class Kept:
    def __init__(self):
        self.itself = self
    def __del__(self):
        os.write(1, b"freed")
kept = Kept()
if sys.argv[1] == "worker":
    workers._end_with(os.getppid())
"""


@pytest.mark.system
@pytest.mark.parametrize("kind, freed", [("worker", b""), ("other", b"freed")])
def test_a_worker_ends_without_freeing_what_it_imported(kind, freed):
    done = subprocess.run([sys.executable, "-c", END, kind], capture_output=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, freed, b"")
