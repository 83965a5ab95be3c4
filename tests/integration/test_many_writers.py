"""Many programs at one store: finished work is never lost, unfinished work never visible."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from titanic_ml.registry.aliases import Entry
from titanic_ml.registry.store import ModelStore

FOLDER = str(Path(__file__).parent)
sys.path.append(FOLDER)  # a process imports its function by name
import writers  # noqa: E402

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("unmeasured")]
PROGRAMS, MOVES, KILLS = 8, 12, 12
METHODS = multiprocessing.get_all_start_methods()
# A process that is forked has imported everything already.
context = multiprocessing.get_context("forkserver" if "forkserver" in METHODS else "spawn")
context.set_forkserver_preload(["writers"])


@pytest.fixture(autouse=True)
def importable(monkeypatch) -> None:
    """The server of forks, which starts with the first process, finds `writers` (Python 3.11)."""
    monkeypatch.setenv("PYTHONPATH", FOLDER)


class Program:
    """A running writer, and the lines that it has sent."""

    def __init__(self, store: ModelStore, number: int, moves: int) -> None:
        self.lines: list[str] = []
        self.connection, theirs = context.Pipe()
        clouds = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
        given = (theirs, clouds, store.uri, number, moves)
        self.process = context.Process(target=writers.main, args=given)
        self.process.start()
        theirs.close()

    def receive(self) -> str:
        self.lines.append(self.connection.recv())
        return self.lines[-1]

    def finish(self) -> list[str]:
        """Receive the rest; return all lines."""
        with contextlib.suppress(EOFError, OSError):  # a killed one may end within a line
            while True:
                self.receive()
        self.process.join()
        return self.lines


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path) -> ModelStore:
    if request.param == "folder":
        return ModelStore(str(tmp_path / "models"))
    return ModelStore(request.getfixturevalue("bucket")("models"))


def begin(programs: list[Program]) -> None:
    """Let all of them continue at the same time, when each is ready."""
    for program in programs:
        assert program.receive() == "ready"
    for program in programs:
        program.connection.send("begin")


def replayed(history: list[Entry]) -> str:
    """The champion, by going through the history step by step."""
    stack: list[str] = []
    for entry in history:
        if entry.action == "rollback":
            stack.pop()
        elif not stack or stack[-1] != entry.version:
            stack.append(entry.version)
        assert stack[-1] == entry.version
    return stack[-1]


def test_eight_programs_train_promote_and_roll_back_at_once(store):
    programs = [Program(store, number, MOVES) for number in range(PROGRAMS)]
    begin(programs)
    seen = set()
    while any(program.process.is_alive() for program in programs):
        for version in store.versions():  # a reader in between
            assert version.faults() == []
            seen.add(version.name)
        if champion := store.champion.version:
            assert store.open(champion).model
    lines = [line.split(" ", 2) for program in programs for line in program.finish()]
    assert [program.process.exitcode for program in programs] == [0] * PROGRAMS
    saved = {words[1] for words in lines if words[0] == "saved"}
    assert set(store.names()) == saved and len(saved) == PROGRAMS and seen <= saved
    history = store.champion.history()
    assert [entry.number for entry in history] == [*range(1, len(history) + 1)]
    done = [tuple(words) for words in lines if words[0] in ("force", "rollback")]
    kept = [(e.action, e.version, e.why.removeprefix("forced: ")) for e in history]
    trained = [words[1] for words in lines if words[0] == "promoted"]
    assert sorted(entry for entry in kept if "program" in entry[2]) == sorted(done)
    assert sorted(e.version for e in history if "program" not in e.why) == sorted(trained)
    assert len(done) > PROGRAMS * MOVES // 2
    assert replayed(history) == store.champion.version
    assert store.verify().faults == []


def test_of_eight_programs_that_train_at_once_the_best_is_the_champion(store):
    programs = [Program(store, number, 0) for number in range(PROGRAMS)]
    begin(programs)
    best = next(
        line.split()[1]
        for line in [program.finish() for program in programs][0]
        if line.startswith("saved")
    )
    assert len(store.names()) == PROGRAMS and store.champion.version == best
    losses = [store.open(e.version).out_of_fold["repeat_1"][0] for e in store.champion.history()]
    assert losses == sorted(losses, reverse=True)  # each was better than the one before


def killed(program: Program, moment: float) -> list[list[str]]:
    """Kill a program some seconds after it began to save its second version; return its lines."""
    while program.lines.count("saving") < 2:  # the first is slow
        program.receive()
    time.sleep(moment)
    program.process.kill()
    return [line.split() for line in program.finish()]


def unfinished(store: ModelStore) -> set[str]:
    """The folders that killed programs left without a manifest."""
    return {name.split("/")[0] for name in store.objects.names()} - {*store.names(), "aliases"}


def test_a_program_that_is_killed_at_any_moment_leaves_whole_versions_only(store):
    chance, saved, promoted, kills = random.Random(0), set(), set(), 0
    while kills < KILLS or not unfinished(store):
        assert kills < 10 * KILLS
        programs = [Program(store, number, -1) for number in range(6)]
        begin(programs)
        moments = [chance.uniform(0.0, 0.2) for _ in programs]
        with ThreadPoolExecutor(len(programs)) as threads:
            lines = [line for part in threads.map(killed, programs, moments) for line in part]
        saved |= {words[1] for words in lines if words[0] == "saved"}
        promoted |= {words[1] for words in lines if words[0] == "promoted"}
        kills += len(programs)
    versions = store.versions()
    for version in versions:
        assert version.faults() == [] and version.model.startswith("a model")
    assert saved <= {version.name for version in versions} and len(saved) >= KILLS
    history = store.champion.history()
    assert promoted <= {entry.version for entry in history}
    assert replayed(history) == store.champion.version == store.open("champion").name
    time.sleep(1.1)  # a bucket tells whole seconds
    found = store.verify(timedelta(0))
    assert found.faults == [] and found.swept
    names = {version.name for version in versions}
    left = {name.split("/")[0] for name in store.objects.names()}
    assert left == names | {"aliases"}
    if store.objects.folder:
        assert {path.name for path in store.objects.folder.iterdir()} == left
        assert not [path for path in store.objects.folder.rglob("*#*")]
