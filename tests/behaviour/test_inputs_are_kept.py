"""No command writes over what it or another command reads, however the two are spelled."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pandas as pd
import pyarrow
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import SettingsError
from titanic_ml.service.serving import prediction_log

ROOT = Path(__file__).parents[2]
VERSION = "20260101T000000.000Z-abcdef"
INTO = "is both input and output; name another output"

# The words of a command, and a part of its message.
CASES = {
    "the same file": ("predict io.csv --output io.csv", f"io.csv {INTO}"),
    "another spelling": ("predict io.csv --output ./parts/../io.csv", INTO),
    "the whole path": ("predict io.csv --output {here}/io.csv", INTO),
    "a link as input": ("predict link.csv --output io.csv", f"io.csv (link.csv) {INTO}"),
    "a link as output": ("predict io.csv --output link.csv", f"link.csv (io.csv) {INTO}"),
    "a link to a folder": ("predict io.csv --output here/io.csv", INTO),
    "a hard link": ("predict io.csv --output hard.csv", INTO),
    "Parquet": ("predict io.parquet --output io.parquet", INTO),
    "Parquet by a link": ("predict io.parquet --output link.parquet", INTO),
    "a folder into itself": ("predict parts/ --output parts/", INTO),
    "a folder into its part": ("predict parts/ --output parts/a.parquet", INTO),
    "a folder into a new part": (
        "predict parts --output parts/new.parquet",
        "lies in parts, which",
    ),
    "a folder into a folder in it": ("predict parts --output parts/day=2/", "lies in parts, which"),
    "a folder into a link to its part": ("predict parts --output part.parquet", INTO),
    "a pattern into a part": ("predict parts/*.parquet --output parts/a.parquet", INTO),
    "a pattern into a new part": (
        "predict parts/*.parquet --output parts/new.parquet",
        "lies in parts/*.parquet, which is input",
    ),
    "a deep pattern into a new part": (
        "predict parts/**/*.parquet --output parts/new.parquet",
        "lies in parts/**/*.parquet, which is input",
    ),
    "a part into its folder": ("predict parts/a.parquet --output parts/", INTO),
    "a table of SQLite": (
        "predict sqlite:///io.db?table=p --output sqlite:///io.db?table=p&if_exists=replace",
        INTO,
    ),
    "a table to be added to": (
        "predict sqlite:///io.db?table=p --output sqlite:///io.db?table=p",
        INTO,
    ),
    "a table in other letters": (
        "predict sqlite:///io.db?table=p --output sqlite:///io.db?table=P&if_exists=replace",
        INTO,
    ),
    "a database by a link": (
        "predict sqlite:///io.db?table=p --output sqlite:///link.db?table=p&if_exists=replace",
        INTO,
    ),
    "a query of the table": (
        "predict sqlite:///io.db?query=SELECT*FROM(p) --output "
        "sqlite:///io.db?table=p&if_exists=replace",
        INTO,
    ),
    "the rejected rows": (
        "predict io.csv --output out.csv --on-invalid quarantine --rejects io.csv",
        "io.csv is both input and rejects; name another rejects",
    ),
    "rejects over the output": (
        "predict io.csv --output out.csv --on-invalid quarantine --rejects ./out.csv",
        "is both output and rejects",
    ),
    "rejects over an output by a link": (
        "predict io.csv --output new.csv --on-invalid quarantine --rejects new-link.csv",
        "is both output and rejects",
    ),
    "over the training table": (
        "predict io.csv --output data/train.csv",
        "data/train.csv is both data.uri and output",
    ),
    "over another training table": (
        "predict io.csv --output hard.csv data.uri=link.csv",
        "is both input and output",
    ),
    "over the table of a schedule": (
        "predict io.csv --output next.csv predictions.input=next.csv",
        "is both predictions.input and output",
    ),
    "by the settings alone": (
        "predict predictions.input=io.csv predictions.uri=io.csv",
        INTO,
    ),
    "into the log": ("predict io.csv --output served/", "is both monitoring.log and output"),
    "into the log as a part": (
        "predict io.csv --output served/x.parquet",
        "lies in served/, which is monitoring.log",
    ),
    "over the store": ("predict io.csv --output models/", "is both the store and output"),
    "into a version": (
        f"predict io.csv --output models/{VERSION}/out.csv",
        "lies in models, which is the store",
    ),
    "into the log of champions": (
        "predict io.csv --output models/aliases/champion/",
        "lies in models, which is the store",
    ),
    "a report over the log": (
        "monitor --log io.csv --report io.csv",
        "is both input and report; name another report",
    ),
    "a report over a part of the log": ("monitor parts/ --report parts/a.parquet", "input and rep"),
    "a report over the labels": (
        "monitor io.csv --labels late.csv --report late.csv",
        "late.csv is both labels and report",
    ),
    "a report over the database": (
        "monitor sqlite:///io.db?table=p --report io.db",
        "is both input and report",
    ),
    "a report over predictions": (
        "monitor io.csv --report out.db predictions.uri=sqlite:///out.db?table=p",
        "is both predictions.uri and report",
    ),
    "a report over the training table": ("monitor io.csv --report data/train.csv", "data.uri and"),
    "a report over a manifest": (
        f"monitor io.csv --report models/{VERSION}/manifest.json",
        "lies in models, which is the store",
    ),
    "the store over the table's folder": (
        "train parts/ store.uri=parts",
        "is both input and the store",
    ),
    "the store in the table's folder": ("train parts/ store.uri=parts/models", "lies in parts/"),
    "the scratch folder over the table's": ("train parts/ scratch=parts", "input and scratch"),
    "in a bucket": (
        "train s3://bucket/parts/ store.uri=s3://bucket/parts",
        "s3://bucket/parts (s3://bucket/parts/) is both input and the store",
    ),
}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder of tables of each kind, with other names for some of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("data", "parts", f"models/{VERSION}", "models/aliases/champion", "served"):
        Path(name).mkdir(parents=True)
    frame = pd.read_csv(ROOT / "data/test.csv")
    shutil.copy(ROOT / "data/train.csv", "data/train.csv")
    for name in ("io.csv", "next.csv", "late.csv"):
        frame.to_csv(name, index=False)
    for name in ("io.parquet", "parts/a.parquet", "served/a.parquet"):
        frame.to_parquet(name)
    for name in ("io.db", "out.db"):
        with sqlite3.connect(name) as database:
            frame.to_sql("p", database, index=False)
        database.close()
    Path(f"models/{VERSION}/manifest.json").write_text("{}")
    Path("models/aliases/champion/000001.json").write_text("{}")
    Path("hard.csv").hardlink_to("io.csv")
    for link, target in {
        "link.csv": "io.csv",
        "link.parquet": "io.parquet",
        "link.db": "io.db",
        "part.parquet": "parts/a.parquet",
        "new-link.csv": "new.csv",
        "here": ".",
    }.items():
        Path(link).symlink_to(target)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.posix
@pytest.mark.parametrize("case", CASES)
def test_what_is_read_is_not_written(run, here, case):
    words, message = CASES[case]
    before = files(here)
    done = run(*words.format(here=here).split())
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert [line[:6] for line in done.err.splitlines() if "--log is no" not in line] == ["Error:"]
    assert files(here) == before


@pytest.mark.posix
@pytest.mark.parametrize("mark", ["<", ">>"])
def test_standard_input_and_output_are_files_too(run, here, monkeypatch, mark):
    before = files(here)
    with open("io.csv", "r+") as redirected:
        monkeypatch.setattr(sys, "stdin" if mark == "<" else "stdout", redirected)
        words = ("-", "--output", "io.csv") if mark == "<" else ("io.csv", "--output", "-")
        done = run("predict", *words)
    assert done.code == 2 and "is both input and output" in done.err
    assert files(here) == before


def test_a_service_refuses_a_log_over_a_table(here):
    pipeline = TitanicPipeline("data.uri=parts/", "monitoring.log=parts/")
    with pytest.raises(SettingsError, match="is both data.uri and monitoring.log"):
        prediction_log(pipeline, pipeline.spec)


@pytest.mark.parametrize(
    "words",
    [
        "io.csv --output out.csv",
        "io.csv --output io.parquet data.uri=other.csv",
        "io.csv --output models/out.csv",
        "parts/ --output parts.csv",
        "parts/a*.parquet --output parts/other.parquet",
        "sqlite:///io.db?table=p --output sqlite:///io.db?table=other",
        "sqlite:///io.db?query=SELECT*FROM(p) --output sqlite:///io.db?table=q&if_exists=replace",
        "sqlite:///io.db?table=p --output sqlite:///other.db?table=p",
    ],
)
def test_another_place_is_written(run, here, store, words):
    done = run("predict", *words.split(), f"store.uri={store}")
    assert done.code == 0, done.err


@pytest.mark.parametrize("schema", ["", "&schema=public"])
@pytest.mark.parametrize(
    "read", ["table=p", "table=p&schema=public", "query=SELECT * FROM p", "query=TABLE public.P"]
)
def test_a_table_on_a_server_is_the_same_by_any_name(run, here, postgres, read, schema):
    from adbc_driver_postgresql import dbapi

    frame = pd.read_csv("io.csv")
    with dbapi.connect(postgres()) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("p", pyarrow.Table.from_pandas(frame))
        connection.commit()
    output = postgres(f"table=p{schema}&if_exists=replace&connect_timeout=9")
    done = run("predict", postgres(read), "--output", output)
    assert done.code == 2 and INTO in done.err
    with dbapi.connect(postgres()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM p")
        assert cursor.fetchone() == (418,)
    other = postgres("table=other&if_exists=replace")
    assert run("predict", postgres(read), "--output", other).code == 1  # no store: it went on


def test_memory_and_pipes_are_no_files(here, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    pipeline = TitanicPipeline()
    frame = pd.read_csv("io.csv")
    for data in (frame, "-", "https://127.0.0.1:1/a.csv"):
        with pytest.raises(Exception) as caught:
            pipeline.predict_into("out.csv", data)
        assert not isinstance(caught.value, SettingsError), data
    assert not os.path.exists("out.csv")
