"""Tables with a log of their valid files are refused, never read without the log."""

from __future__ import annotations

from pathlib import Path

import obstore
import pandas as pd
import pytest
from obstore.store import MemoryStore

from titanic_ml.errors import SettingsError, UnreadableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import check_sink, schema_of
from titanic_ml.storage.table_logs import refuse_logged, refuse_logged_objects, refuse_to_write
from titanic_ml.storage.tables import open_table

LOGS = {
    "Delta Lake": "_delta_log/00000000000000000000.json",
    "Apache Iceberg": "metadata/00000-1b2.metadata.json",
    "Apache Hudi": ".hoodie/hoodie.properties",
    "Spark Structured Streaming": "_spark_metadata/0",
}
ADDRESSES = {
    "the folder": "lake/t",
    "the folder with a slash": "lake/t/",
    "a pattern": "lake/t/*.parquet",
    "a deep pattern": "lake/**/*.parquet",
    "one of its files": "lake/t/a.parquet",
    "a folder in it": "lake/t/day=1/",
    "a file in that": "lake/t/day=1/b.parquet",
    "a folder around it": "lake",
    "a link to it": "link",
    "a link to a file": "link.parquet",
}
FRAME = pd.DataFrame({"a": [1]})


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """Writes a table with this log into `lake/t`."""
    monkeypatch.chdir(tmp_path)

    def make(log: str) -> None:
        for name in ("lake/t/day=1", f"lake/t/{Path(log).parent}"):
            Path(name).mkdir(parents=True, exist_ok=True)
        for name in ("lake/t/a.parquet", "lake/t/day=1/b.parquet"):
            FRAME.to_parquet(name)
        Path("lake/t", log).write_text("{}")
        Path("link").symlink_to("lake/t")
        Path("link.parquet").symlink_to("lake/t/a.parquet")

    return make


@pytest.mark.posix
@pytest.mark.parametrize("kind", LOGS)
def test_a_table_with_a_log_is_refused_by_name(lake, kind):
    lake(LOGS[kind])
    for what, address in ADDRESSES.items():
        with pytest.raises(UnreadableTable, match=f"t is a table of {kind}: .*export") as caught:
            with open_table(address):
                pass
        assert LOGS[kind].partition("/")[0] in str(caught.value), what


@pytest.mark.parametrize("kind", LOGS)
def test_no_file_is_put_beside_a_log(lake, kind):
    lake(LOGS[kind])
    for address in ("lake/t/", "lake/t/new.parquet", "lake/t/new.csv", "lake/t/day=1/new.parquet"):
        with pytest.raises(SettingsError, match=f"can't be written: .*is a table of {kind}"):
            check_sink(parse(address), schema_of({"a": "integer"}))
    with pytest.raises(SettingsError, match="new: can't be written"):
        refuse_to_write(Path("lake/t/new"), "new")


def test_a_folder_without_a_log_is_read(tmp_path):
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata/notes.json").write_text("{}")
    FRAME.to_parquet(tmp_path / "a.parquet")
    refuse_logged([tmp_path / "a.parquet"])
    with open_table(str(tmp_path)) as source:
        assert len(source.frame()) == 1


@pytest.mark.parametrize("kind", LOGS)
def test_objects_beside_a_log_are_refused(kind):
    store = MemoryStore()
    for key in ("lake/c.parquet", "lake/t/a.parquet", f"lake/t/{LOGS[kind]}"):
        obstore.put(store, key, b"")
    for key in ("lake/t/a.parquet", "lake/t/day=1/b.parquet"):
        with pytest.raises(UnreadableTable, match=f"^s3://bucket/lake/t is a table of {kind}"):
            refuse_logged_objects(store, "s3://bucket", [key])
    refuse_logged_objects(store, "s3://bucket", ["lake/c.parquet", "lake/metadata.parquet"])


@pytest.mark.parametrize("kind", LOGS)
def test_a_bucket_is_no_way_around_a_log(bucket, tmp_path, kind):
    FRAME.to_parquet(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    bucket("plain/a.parquet", data)
    bucket("t/day=1/a.parquet", data)
    bucket(f"t/{LOGS[kind]}", b"{}")
    for key in ("t/", "t/day=1/", "t/day=1/a.parquet", "t/*/*.parquet", ""):
        with pytest.raises(UnreadableTable, match=f"/t is a table of {kind}"):
            with open_table(bucket(key)):
                pass
    with open_table(bucket("plain/")) as source:
        assert len(source.frame()) == 1
