"""Many programs at one store: nothing that was reported done is lost, and nobody sees a half."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from titanic_ml.registry.aliases import Entry
from titanic_ml.registry.store import ModelStore

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("unmeasured")]
PROGRAM = Path(__file__).with_name("writers.py")
PROGRAMS, MOVES, KILLS = 8, 12, 12


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path) -> ModelStore:
    if request.param == "folder":
        return ModelStore(str(tmp_path / "models"))
    return ModelStore(request.getfixturevalue("bucket")("models"))


def start(store: ModelStore, number: int, moves: int) -> subprocess.Popen[str]:
    words = [sys.executable, str(PROGRAM), store.uri, str(number), str(moves)]
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def begin(programs: list[subprocess.Popen[str]]) -> None:
    """Let all of them go on at once, when each is ready."""
    for program in programs:
        assert program.stdout.readline() == "ready\n", program.stderr.read()
    for program in programs:
        program.stdin.write("\n")
        program.stdin.flush()


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
    programs = [start(store, number, MOVES) for number in range(PROGRAMS)]
    begin(programs)
    seen = set()
    while any(program.poll() is None for program in programs):
        for version in store.versions():  # a reader in between
            assert version.faults() == []
            seen.add(version.name)
        if champion := store.champion.version:
            assert store.open(champion).model
    printed = [program.communicate() for program in programs]
    assert [program.returncode for program in programs] == [0] * PROGRAMS, printed
    lines = [line.split(" ", 2) for out, _ in printed for line in out.splitlines()]
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
    programs = [start(store, number, 0) for number in range(PROGRAMS)]
    begin(programs)
    printed = [program.communicate()[0].split() for program in programs]
    best = printed[0][printed[0].index("saved") + 1]
    assert len(store.names()) == PROGRAMS and store.champion.version == best
    losses = [store.open(e.version).out_of_fold["repeat_1"][0] for e in store.champion.history()]
    assert losses == sorted(losses, reverse=True)  # each was better than the one before


def killed(program: subprocess.Popen[str], moment: float) -> list[list[str]]:
    """Kill a program so long after it began to save its second version; what it had printed."""
    printed = ""
    while printed.count("saving\n") < 2:  # the first is slow
        printed += program.stdout.readline()
    time.sleep(moment)
    program.kill()
    printed += program.communicate()[0]
    return [line.split() for line in printed.splitlines(keepends=True) if line.endswith("\n")]


def test_a_program_that_is_killed_at_any_moment_leaves_whole_versions_only(store):
    chance, saved, crowned = random.Random(0), set(), set()
    for _ in range(KILLS // 6):  # each start costs a second, so several are killed of each
        programs = [start(store, number, -1) for number in range(6)]
        begin(programs)
        moments = [chance.uniform(0.0, 0.2) for _ in programs]
        with ThreadPoolExecutor(len(programs)) as threads:
            lines = [line for part in threads.map(killed, programs, moments) for line in part]
        saved |= {words[1] for words in lines if words[0] == "saved"}
        crowned |= {words[1] for words in lines if words[0] == "promoted"}
    versions = store.versions()
    for version in versions:
        assert version.faults() == [] and version.model.startswith("a model")
    assert saved <= {version.name for version in versions} and len(saved) >= KILLS
    history = store.champion.history()
    assert crowned <= {entry.version for entry in history}
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
