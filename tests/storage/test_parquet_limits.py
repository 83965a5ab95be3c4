"""A small Parquet file can't take gigabytes of memory."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time

import pyarrow
import pytest
from pyarrow import parquet

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage import parquet_limits
from titanic_ml.storage.parquet_limits import MOST_ROWS, rows_at_once
from titanic_ml.storage.tables import open_table


def written(texts: object, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    table = pyarrow.table({"Name": texts, "n": range(len(texts))})
    parquet.write_table(table, file, compression="zstd", store_schema=False, **options)
    return file


def repeated(text: str, rows: int) -> pyarrow.DictionaryArray:
    """A column that needs little memory until it is decoded."""
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, "int32"), [text])


@pytest.mark.parametrize("texts", [repeated("x" * 40_000, 49_152), ["x" * 40_000] * 1_000])
def test_long_texts_in_a_small_file_are_refused_at_once(texts):
    file = written(texts, use_dictionary=len(texts) > 1_000)
    assert file.tell() < 300_000
    start = time.perf_counter()
    with pytest.raises(
        UnreadableTable, match="a.parquet: column Name holds .*expected at most 10,0"
    ):
        rows_at_once(file, "a.parquet")
    assert time.perf_counter() - start < 1


def test_a_long_text_among_short_ones_is_refused():
    file = written([*(f"name {n}" for n in range(20_000)), "x" * 20_000])
    with pytest.raises(UnreadableTable, match="column Name holds a text of 20,000 bytes"):
        rows_at_once(file, "a.parquet")


def test_a_large_row_group_is_refused(monkeypatch):
    monkeypatch.setattr(parquet_limits, "MOST_GROUP_BYTES", 1_000)
    with pytest.raises(UnreadableTable, match="row group 1 has .* bytes uncompressed, expected"):
        rows_at_once(written([f"name {n}" for n in range(500)]), "a.parquet")


def test_fewer_rows_are_read_at_once_where_texts_are_long(tmp_path):
    assert rows_at_once(written(["Braund, Mr. Owen"] * 1_000), "a.parquet") == MOST_ROWS
    assert rows_at_once(written([]), "a.parquet") == MOST_ROWS
    long = written(["x" * 9_000] * 20_000)
    assert 5_000 < rows_at_once(long, "a.parquet") < 8_000
    (tmp_path / "a.parquet").write_bytes(long.getvalue())
    with open_table(tmp_path / "a.parquet") as source:
        sizes = [len(batch.frame) for batch in source.batches()]
    assert sum(sizes) == 20_000 and max(sizes) < 8_000


MEASURED = """
import sys
from pathlib import Path
from titanic_ml.cli.app import main
try:
    main(sys.argv[1:])
finally:
    print(Path("/proc/self/status").read_text())
"""


@pytest.mark.system
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_bomb_takes_little_memory(trained, tmp_path):
    (tmp_path / "bomb.parquet").write_bytes(written(repeated("x" * 40_000, 49_152)).getvalue())
    words = ["predict", str(tmp_path / "bomb.parquet"), "--output", str(tmp_path / "out.csv")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words, f"store.uri={trained}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "holds a text of 40,000 bytes" in done.stderr
    assert int(re.search(r"VmHWM:\s*(\d+) kB", done.stdout)[1]) < 600_000
