"""Every kind of bad input, at every door: one clear message, exit code 1, nothing written."""

import io
import sys
from pathlib import Path

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import DataError

ROOT = Path(__file__).parents[2]
AGE = "a number, at least 0, at most 120, or nothing"
PCLASS = "a whole number, one of 1, 2, 3"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def edit(old: str, new: str, count: int = 1):
    """Change the text of the table."""
    return lambda text: text.replace(old, new, count).encode()


HEADER = "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked"
ROWS = [
    '1,0,3,"Braund, Mr. Owen Harris",male,22,1,0,A/5 21171,7.25,,S',
    '2,1,1,"Cumings, Mrs. John",female,38,1,0,PC 17599,71.2833,C85,C',
    '3,1,3,"Heikkinen, Miss. Laina",female,,0,0,STON/O2. 3101282,7.925,,S',
    '4,0,3,"Allen, Mr. William Henry",male,35,0,0,373450,8.05,,S',
]
TABLE = "\n".join([HEADER, *ROWS]) + "\n"

FILES = {  # how the file is made from the table, and what the message says after the file's name
    "no such file": (lambda text: None, [": no such file"]),
    "empty file": (lambda text: b"", [": the file is empty, expected a header and rows"]),
    "blank lines": (lambda text: b"\n\n", [": the file is empty"]),
    "not a CSV": (lambda text: PNG, [": line 1 is not UTF-8 (byte 0x89)"]),
    "zero bytes": (lambda text: b"a,b\n\0,1\n", ["it holds zero bytes"]),
    "a web page": (
        lambda text: b"<html>\n<p>404</p>\n",
        ["no header (the first line is '<html>')"],
    ),
    "latin-1": (
        lambda text: text.replace("Laina", "Läina").encode("latin-1"),
        ["line 4 is not UTF-8 (byte 0xe4); save the table as"],
    ),
    "UTF-16": (lambda text: text.encode("utf-16"), ["is not UTF-8"]),
    "no header": (
        lambda text: text.partition("\n")[2].encode(),
        ["no header (the first line is '1,0,3,Braund, Mr. Owen Harris,male,22", "expected Pass"],
    ),
    "no rows": (lambda text: HEADER.encode(), ["found no rows, expected at least one"]),
    "too long a row": (edit("C85,C", "C85,C,X"), ["in the header, but row 2 has 13"]),
    "too short a row": (edit(",C85,C", ",C85"), ["in the header, but row 2 has 11"]),
    "missing column": (edit(",Age", ""), ["but row 1 has 12"]),
    "renamed column": (
        edit("Age", "Years"),
        [
            "column Age: found no column of this name, expected one",
            "column Years: found an unknown column, expected only PassengerId,",
        ],
    ),
    "doubled column": (
        edit("Parch", "SibSp"),
        ["column SibSp: found 2 columns of this name, expected one", "column Parch: found no"],
    ),
    "text for a number": (edit("38", "old"), [f"row 2, column Age: found 'old', expected {AGE}"]),
    "infinity": (edit("38", "inf"), [f"row 2, column Age: found 'inf', expected {AGE}"]),
    "out of range": (edit("38", "380"), [f"row 2, column Age: found 380, expected {AGE}"]),
    "out of its set": (
        edit("2,1,1", "2,1,4"),
        [f"row 2, column Pclass: found 4, expected {PCLASS}"],
    ),
    "nothing where a value belongs": (
        edit("2,1,1", "2,1,NaN"),
        [f"row 2, column Pclass: found nothing, expected {PCLASS}"],
    ),
    "doubled id": (
        edit("\n2,1", "\n1,1"),
        ["row 2, column PassengerId: found 1 again, expected each value once"],
    ),
    "many faults": (
        lambda text: (
            text + "".join(f'{n},1,9,"X, Mr. Y",male,,0,0,t,1,,S\n' for n in range(5, 40))
        ).encode(),
        [f"row 5, column Pclass: found 9, expected {PCLASS}", "… and 15 more", "has 35 faults"],
    ),
}
TARGETS = {  # these are faults only where the target is wanted
    "missing target": (
        lambda text: "\n".join(
            ",".join(line.split(",")[:1] + line.split(",")[2:]) for line in text.splitlines()
        ).encode(),
        ["column Survived: found no column of this name, expected one"],
    ),
    "target of one class": (
        lambda text: text.replace(",1,", ",0,").replace("38,0,", "38,1,").encode(),
        ["column Survived: found only the class 0, expected both classes"],
    ),
    "target unknown in a row": (
        edit("2,1,1", "2,,1"),
        ["row 2, column Survived: found nothing, expected a whole number, one of 0, 1"],
    ),
}


def written(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def make(tmp_path):
    def make(change) -> Path:
        path = tmp_path / "bad.csv"
        if (data := change(TABLE)) is not None:
            path.write_bytes(data)
        return path

    return make


def commands(path: Path, store: Path, quick, output: Path) -> dict[str, list]:
    settings = f"store.uri={store}", *quick
    return {
        "train": ["train", path, *settings],
        "evaluate": ["evaluate", path, *settings],
        "predict": ["predict", path, "--output", output, *settings],
    }


CASES = [(door, kind) for kind in FILES for door in ("train", "evaluate", "predict")]
CASES += [(door, kind) for kind in TARGETS for door in ("train", "evaluate")]


@pytest.mark.parametrize(("door", "kind"), CASES)
def test_a_command_says_what_is_wrong_and_writes_nothing(
    run, make, store, quick, tmp_path, door, kind
):
    change, words = (FILES | TARGETS)[kind]
    path = make(change)
    before = written(tmp_path)
    done = run(*commands(path, store, quick, tmp_path / "out.csv")[door])
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {path}")
    assert "Traceback" not in done.err and "Cross-validating" not in done.err
    for part in words:
        assert part in done.err
    assert len(done.err.splitlines()) <= 22
    assert written(tmp_path) == before


def test_standard_input_is_named_too(run, store, monkeypatch):
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(TABLE.replace("38", "x").encode()))
    )
    done = run("predict", "-", "--output", "-", f"store.uri={store}")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: standard input has 1 fault")


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("method", "kind"), CASES)
def test_python_gets_the_same_words_as_an_error(make, store, quick, tmp_path, method, kind):
    change, words = (FILES | TARGETS)[kind]
    path = make(change)
    before = written(tmp_path)
    pipeline = TitanicPipeline(f"store.uri={store}", *quick)
    with pytest.raises(DataError) as caught:
        getattr(pipeline, method)(str(path))
    for part in words:
        assert part in str(caught.value)
    assert written(tmp_path) == before


FRAMES = {
    "missing column": (lambda f: f.drop(columns="Age"), "column Age: found no column of this name"),
    "unknown column": (lambda f: f.assign(Years=1), "column Years: found an unknown column"),
    "doubled column": (
        lambda f: f.rename(columns={"Parch": "SibSp"}),
        "found 2 columns of this name",
    ),
    "text for a number": (lambda f: f.assign(Age="old"), "row 4, column Age: found 'old'"),
    "infinity": (lambda f: f.assign(Fare=float("inf")), "row 1, column Fare: found inf"),
    "NaN": (lambda f: f.assign(Pclass=float("nan")), "row 1, column Pclass: found nothing"),
    "out of its set": (lambda f: f.assign(Sex="x"), "row 1, column Sex: found 'x'"),
    "doubled id": (lambda f: f.assign(PassengerId=1), "row 2, column PassengerId: found 1 again"),
    "no rows": (lambda f: f.head(0), "found no rows, expected at least one"),
    "no columns": (lambda f: pd.DataFrame(), "found no columns"),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("method", ["train", "evaluate", "predict"])
def test_a_bad_frame_is_an_error_and_writes_nothing(store, quick, train_frame, method, kind):
    change, words = FRAMES[kind]
    before = written(store)
    pipeline = TitanicPipeline(f"store.uri={store}", *quick)
    with pytest.raises(DataError) as caught:
        getattr(pipeline, method)(change(train_frame.head(4)))
    assert str(caught.value).startswith("the table has ")
    assert words in str(caught.value)
    assert written(store) == before


def test_what_real_passengers_lack_is_answered(run, store, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text(
        f'{HEADER}\n1,,3,"Doe, Mr. John",male,,0,0,1,,,\n'.replace("Survived,", "").replace(
            "1,,3", "1,3"
        )
    )
    done = run("predict", path, "--output", "-", f"store.uri={store}")
    assert done.code == 0 and done.out.startswith("PassengerId,Survived\n1,")
