"""Outputs are complete or absent."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime

import pandas as pd
import pytest

from titanic_ml.errors import SettingsError, UnwritableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import check_sink, open_sink, schema_of, time_of_run, with_columns
from titanic_ml.storage.tables import read_table

KINDS = {"id": "integer", "word": "text", "predicted_at": "time", "run_id": "text"}
SCHEMA = schema_of(KINDS)
TIME = datetime(2026, 11, 25, 12, 30, 1, tzinfo=UTC)
FRAME = pd.DataFrame({"id": [1, 2], "word": ['a "b", c', None]}).assign(
    predicted_at=TIME, run_id="r"
)
SUFFIXES = [".csv", ".csv.gz", ".parquet"]


def write(uri: str, *frames: pd.DataFrame, run: str = "r") -> None:
    with open_sink(parse(uri), SCHEMA, run) as sink:
        for frame in frames:
            sink(frame)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_one_after_another_are_one_table(tmp_path, suffix):
    write(f"{tmp_path}/a{suffix}", FRAME, FRAME.head(1))
    found = read_table(f"{tmp_path}/a{suffix}")
    assert list(found) == list(KINDS)
    assert found["id"].astype("int").tolist() == [1, 2, 1]
    assert found["word"].fillna("-").tolist() == ['a "b", c', "-", 'a "b", c']
    assert set(found["predicted_at"].astype("str").str[:10]) == {"2026-11-25"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_without_rows_has_its_columns(tmp_path, suffix):
    write(f"{tmp_path}/a{suffix}")
    found = read_table(f"{tmp_path}/a{suffix}")
    assert (len(found), list(found)) == (0, list(KINDS))


def test_a_time_in_a_csv_is_in_iso_8601(tmp_path):
    write(f"{tmp_path}/a.csv", FRAME)
    assert (tmp_path / "a.csv").read_text().splitlines()[2] == "2,,2026-11-25T12:30:01Z,r"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, b"before"])
def test_an_error_midway_changes_nothing(tmp_path, suffix, error, before):
    path = tmp_path / f"a{suffix}"
    if before:
        path.write_bytes(before)
    with pytest.raises(error):
        with open_sink(parse(str(path)), SCHEMA) as sink:
            sink(FRAME)
            raise error
    found = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert found == ({path.name: before} if before else {})


def test_standard_output_gets_all_or_nothing(capsysbinary):
    with pytest.raises(RuntimeError):
        with open_sink(parse("-"), SCHEMA) as sink:
            sink(FRAME)
            raise RuntimeError
    assert capsysbinary.readouterr().out == b""
    write("-", FRAME.head(1))
    assert capsysbinary.readouterr().out.count(b"\n") == 2


FULL = """
import resource, signal, sys
import pandas as pd
from titanic_ml.errors import UnwritableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
frame = pd.DataFrame({"id": range(5_000)})
frame["word"] = [str(hash(i * 7.3)) for i in range(5_000)]
try:
    with open_sink(parse(sys.argv[1]), schema_of({"id": "integer", "word": "text"})) as sink:
        for _ in range(20):
            sink(frame)
except UnwritableTable as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


@pytest.mark.system
@pytest.mark.posix
@pytest.mark.parametrize(
    ("name", "where"),
    [
        *((f"{{}}/a{suffix}", "{}/a" + suffix) for suffix in SUFFIXES),
        ("sqlite:///{}/a.db?table=t", tempfile.gettempdir()),
        ("-", tempfile.gettempdir()),
    ],
)
def test_a_disk_that_fills_is_one_sentence_and_leaves_nothing(tmp_path, name, where):
    """The limit of a file's size stands for the disk's; what waits does so in temporary files."""
    uri = name.format(tmp_path)
    done = subprocess.run([sys.executable, "-c", FULL, uri], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{where.format(tmp_path)}: can't be written: File too large")
    assert done.stdout.count("\n") == 1
    assert not [path for path in tmp_path.iterdir() if path.stat().st_size]


def test_a_folder_has_a_file_for_each_run(tmp_path):
    for run in ("a", "b", "a"):
        write(f"{tmp_path}/runs/", FRAME, run=run)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["a.parquet", "b.parquet"]
    assert len(read_table(f"{tmp_path}/runs")) == 4


def test_the_time_of_a_run_is_found_again(tmp_path):
    for uri in (f"{tmp_path}/a.parquet", f"{tmp_path}/runs/"):
        address = parse(uri)
        assert time_of_run(address, "r") is None
        write(uri, FRAME)
        assert datetime.fromisoformat(time_of_run(address, "r")) == TIME
        assert time_of_run(address, "other") is None
    for data in (b"no Parquet", FRAME[["id"]].to_parquet(), FRAME.head(0).to_parquet()):
        (tmp_path / "a.parquet").write_bytes(data)
        assert time_of_run(parse(f"{tmp_path}/a.parquet"), "r") is None


@pytest.mark.parametrize(
    ("uri", "error", "told"),
    [
        ("s3://bucket/a.parquet", SettingsError, "can only be read, expected a local file or a"),
        ("https://host/a.csv", SettingsError, "can only be read"),
        ("{}/*.parquet", SettingsError, "can only be read"),
        ("{}/none/a.csv", UnwritableTable, "can't be written: No such file or directory"),
        ("{}/none/runs/", UnwritableTable, "can't be written: No such file or directory"),
        ("{}/folder.csv", UnwritableTable, "can't be written: Is a directory"),
    ],
)
def test_what_can_not_be_written_to_is_reported_before_the_work(tmp_path, uri, error, told):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(error, match=told):
        check_sink(parse(uri.format(tmp_path)), SCHEMA)


def test_a_folder_that_may_not_be_written_to_is_reported(tmp_path, monkeypatch):
    """The system's answer is set, for root may write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(UnwritableTable, match="a.csv: can't be written: Permission denied"):
        check_sink(parse(f"{tmp_path}/a.csv"), SCHEMA)


def test_what_is_of_no_type_of_its_own_is_written_as_text(tmp_path):
    schema = with_columns(schema_of({"a": "text"}), {"n": "integer"})
    with open_sink(parse(f"{tmp_path}/a.parquet"), schema) as sink:
        sink(pd.DataFrame({"a": [1, [2, 3], None], "n": [1, None, 3]}, dtype=object))
    found = read_table(f"{tmp_path}/a.parquet")
    assert found["a"].tolist()[:2] == ["1", "[2, 3]"] and found["a"].isna()[2]
    assert found["n"].isna().tolist() == [False, True, False]
