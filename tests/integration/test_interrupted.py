"""A prediction that is stopped at any moment leaves nothing half written, and can be run again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from adbc_driver_postgresql import dbapi

from titanic_ml.errors import DataError, UnwritableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of
from titanic_ml.storage.tables import read_table

pytestmark = pytest.mark.posix
ROOT = Path(__file__).parents[2]
ROWS = 30_000
MOMENTS = 20
KILLED = 19  # the one of them that the quick tests have, too: a kill, into Parquet


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """A table that takes a moment to predict."""
    train = pd.read_csv(ROOT / "data/train.csv").drop(columns="Survived")
    table = pd.concat([train] * (ROWS // len(train) + 1), ignore_index=True).head(ROWS)
    path = tmp_path_factory.mktemp("large") / "large.parquet"
    table.assign(PassengerId=range(1, ROWS + 1)).to_parquet(path)
    return path


def found(output: str) -> int:
    """How many rows stand under the address."""
    try:
        return len(read_table(output))
    except DataError:
        return 0


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "moment",
    [pytest.param(m, marks=pytest.mark.system if m != KILLED else ()) for m in range(MOMENTS)],
)
def test_nothing_is_half_written_and_the_same_command_succeeds_afterwards(
    run, store, request, large, tmp_path, moment
):
    """Ctrl-C and a kill in turn, each output in turn, at a moment within the time it takes."""
    output = {
        0: f"{tmp_path}/out.csv.gz",
        1: f"{tmp_path}/out.parquet",
        2: f"sqlite:///{tmp_path}/out.db?table=t",
    }.get(moment // 2 % 4) or request.getfixturevalue("postgres")("table=t")
    sent = (signal.SIGINT, signal.SIGKILL)[moment % 2]
    words = ["predict", large, "--output", output, "--quiet", f"store.uri={store}"]
    command = [sys.executable, ROOT / "main.py", *words]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, cwd=tmp_path, text=True, env=environment
    )
    time.sleep(random.Random(moment).uniform(0.05, 2.0))
    process.send_signal(sent)
    stderr = process.communicate(timeout=180)[1]
    assert found(output) in ((0, ROWS) if process.returncode else (ROWS,))
    if process.returncode == 130:
        assert stderr == "Interrupted: nothing is half written; run the same command again\n"
    elif sent == signal.SIGINT:  # it had ended, or Python itself was starting or ending
        assert process.returncode in (0, -signal.SIGINT), stderr
        assert stderr == "" or stderr.endswith("\nKeyboardInterrupt\n")
    assert run(*words).code == 0
    assert found(output) == ROWS


def test_a_server_that_is_killed_amid_a_write_is_a_sentence_and_leaves_what_was(own_postgres):
    schema = schema_of({"a": "integer", "b": "text", "run_id": "text"})
    frame = pd.DataFrame({"a": range(500_000)}).assign(b="x" * 50, run_id="r")
    uri = own_postgres("table=t")
    with open_sink(parse(uri), schema, "r") as write:
        write(frame.head(5))

    def kill() -> None:
        """Kill what serves the write as it copies; the server restarts itself after that."""
        with dbapi.connect(uri.rpartition("?")[0], autocommit=True) as own, own.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (own_pid,) = cursor.fetchone()
            for _ in range(3000):
                cursor.execute(
                    "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%FROM STDIN%'"
                )
                # Its own question goes through a COPY, too.
                pids = {row[0] for row in cursor.fetchall()} - {own_pid}
                if pids:
                    os.kill(pids.pop(), signal.SIGKILL)
                    killed.append(True)
                    return
                time.sleep(0.001)

    killed: list[bool] = []
    killer = threading.Thread(target=kill)
    with pytest.raises(UnwritableTable) as caught:
        with open_sink(parse(uri), schema, "r") as write:
            for _ in range(4):
                write(frame)
            killer.start()
    killer.join()
    assert killed
    assert "\n" not in str(caught.value) and "closed the connection" in str(caught.value)
    until = time.monotonic() + 30
    while found(uri) != 5 and time.monotonic() < until:
        time.sleep(0.1)
    assert found(uri) == 5
    with open_sink(parse(uri), schema, "r") as write:
        write(frame.head(9))
    assert found(uri) == 9
