"""Tables by address: round trips, and reasons for refusals."""

from __future__ import annotations

import gzip
import io
import sys
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow
import pytest

from titanic_ml.errors import SettingsError, UnreadableTable, UnwritableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink
from titanic_ml.storage.tables import as_frame, name_of, read_table

SUFFIXES = [".csv", ".csv.gz", ".parquet"]
TABLE = pd.DataFrame(
    {"id": ["1", "2", "3"], "name": ['O\'Dwyer, "Nellie"', "Zoë\nin two lines", None]}, dtype="str"
)
GZIP = gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)  # the same in every worker


def write_table(frame: pd.DataFrame, uri: str) -> None:
    with open_sink(parse(uri), pyarrow.Schema.from_pandas(frame)) as write:
        write(frame)


def parquet() -> bytes:
    TABLE.to_parquet(buffer := io.BytesIO())
    return buffer.getvalue()


@pytest.fixture
def standard_input(monkeypatch):
    """Put bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_comes_back_as_it_was_written(tmp_path, suffix):
    before = TABLE.copy()
    write_table(TABLE, f"{tmp_path}/table{suffix}")
    pd.testing.assert_frame_equal(read_table(f"{tmp_path}/table{suffix}"), TABLE)
    pd.testing.assert_frame_equal(TABLE, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_table_is_the_same_bytes(tmp_path, suffix):
    for name in "ab":
        write_table(TABLE, f"{tmp_path}/{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_dash_is_standard_input_and_output(standard_input, capsysbinary):
    write_table(TABLE, "-")
    written = capsysbinary.readouterr()
    assert written.err == b""
    standard_input(written.out)
    pd.testing.assert_frame_equal(read_table("-"), TABLE)


def test_parquet_keeps_numbers(tmp_path):
    numbers = pd.DataFrame({"whole": [1, 2], "real": [0.1, None]})
    write_table(numbers, f"{tmp_path}/table.parquet")
    pd.testing.assert_frame_equal(read_table(f"{tmp_path}/table.parquet"), numbers)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,x\n2,y\n",
        b"a,b\n1,x\n2,y",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        b"a,b\r\n1,x\r\n2,y\r\n",
        b"a,b\r1,x\r2,y\r",
        b'"a","b"\n"1","x"\n"2","y"\n',
        b"\n\na,b\n1,x\n\n2,y\n\n\n",
    ],
    ids=["unix", "no last newline", "BOM", "windows", "old macintosh", "quoted", "empty lines"],
)
def test_a_csv_may_be_written_in_many_ways(tmp_path, data):
    (tmp_path / "table.csv").write_bytes(data)
    expected = pd.DataFrame({"a": ["1", "2"], "b": ["x", "y"]}, dtype="str")
    pd.testing.assert_frame_equal(read_table(f"{tmp_path}/table.csv"), expected)


def test_the_columns_of_a_csv_are_text(tmp_path):
    (tmp_path / "table.csv").write_text("ticket,age\n0017,1e3\n")
    assert read_table(f"{tmp_path}/table.csv").to_dict("list") == {
        "ticket": ["0017"],
        "age": ["1e3"],
    }


def test_nothing_is_missing_and_every_word_is_a_word(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,\n2,NA\n")
    table = read_table(f"{tmp_path}/table.csv")
    assert table["b"].isna().tolist() == [True, False] and table["b"][1] == "NA"


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "a,b\r\n", "\na,b\n\n"])
def test_a_header_alone_is_a_table_without_rows(tmp_path, text):
    (tmp_path / "table.csv").write_text(text)
    table = read_table(f"{tmp_path}/table.csv")
    assert (len(table), list(table)) == (0, ["a", "b"])


def test_doubled_columns_are_kept_for_the_schema_to_refuse(tmp_path):
    (tmp_path / "table.csv").write_text("a,a\n1,2\n")
    assert list(read_table(f"{tmp_path}/table.csv")) == ["a", "a"]


UNREADABLE = {
    "empty": (".csv", b"", "the file is empty, expected a header and rows"),
    "blank": (".csv", b" \n\n", "the file is empty"),
    "latin-1": (".csv", "a,b\n1,Zoë\n".encode("latin-1"), "line 2 is not UTF-8 (byte 0xeb)"),
    "utf-16": (".csv", "a,b\n1,2\n".encode("utf-16"), "line 1 is not UTF-8 (byte 0xff)"),
    "utf-16 without mark": (".csv", "a,b\n1,2\n".encode("utf-16-le"), "it holds zero bytes"),
    "picture": (".csv", b"\x89PNG\r\n\x1a\n\0\0", "line 1 is not UTF-8 (byte 0x89)"),
    "ragged": (
        ".csv",
        b"a,b\n1\n1,2\n1,2,3\n",
        "expected 2 values in each row as in the header, but row 1 has 1, row 3 has 3",
    ),
    "very ragged": (".csv", b"a,b\n" + b"1\n" * 25, "row 20 has 1 … and 5 more"),
    "open quote": (".csv", b'a,b\n1,2\n"1,2\n', "row 2 has 1"),
    "one endless line": (".csv", b"x" * 200_000, "not a CSV table: field larger than"),
    "not gzip": (".csv.gz", b"a,b\n1,2\n", "can't be read: Not a gzipped file"),
    "cut gzip": (".csv.gz", GZIP[:-20], "can't be read: Compressed file ended"),
    "corrupt gzip": (".csv.gz", GZIP[:12] + b"\xff" * 9 + GZIP[21:], "can't be read: Error"),
    "empty gzip": (".csv.gz", gzip.compress(b""), "the file is empty"),
    "not parquet": (".parquet", b"a,b\n1,2\n", "not a Parquet file: "),
    "empty parquet": (".parquet", b"", "not a Parquet file: "),
    "cut parquet": (".parquet", parquet()[:-20], "not a Parquet file: "),
    "corrupt parquet": (".parquet", parquet()[:4] + b"\xff" * 60 + parquet()[64:], "not a Parquet"),
}


@pytest.mark.parametrize(("suffix", "data", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_no_table_is_reported_with_the_reason(tmp_path, suffix, data, words):
    path = tmp_path / f"table{suffix}"
    path.write_bytes(data)
    with pytest.raises(UnreadableTable) as caught:
        read_table(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_file_is_reported_with_its_path(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableTable) as caught:
        read_table(f"none{suffix}")
    assert str(caught.value) == f"none{suffix}: no such file (looked for {tmp_path}/none{suffix})"


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UnreadableTable, match="folder.csv: can't be read: Is a directory"):
        read_table(f"{tmp_path}/folder.csv")


def test_an_empty_standard_input_is_reported(standard_input):
    standard_input(b"")
    with pytest.raises(UnreadableTable, match="^standard input: the file is empty"):
        read_table("-")


@pytest.mark.parametrize("uri", ["table.txt", "table", "", "table.csv.zip"])
def test_an_unknown_kind_of_table_lists_the_known_ones(uri):
    for call in (lambda: read_table(uri), lambda: write_table(TABLE, uri)):
        with pytest.raises(SettingsError, match="unknown kind.*.csv, .csv.gz, .parquet, a folder"):
            call()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_that_is_not_there_is_reported(tmp_path, suffix):
    with pytest.raises(UnwritableTable, match=f"none/table{suffix}: can't be written: No such"):
        write_table(TABLE, f"{tmp_path}/none/table{suffix}")


def test_a_folder_of_that_name_is_reported_and_leaves_no_litter(tmp_path):
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(UnwritableTable, match="table.csv: can't be written: Is a directory"):
        write_table(TABLE, f"{tmp_path}/table.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
FRAME = pd.DataFrame(ROWS)


class Foreign:
    """A table of a library that we don't know."""

    def __arrow_c_stream__(self, requested_schema=None):
        return pyarrow.Table.from_pandas(FRAME).__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        ROWS,
        tuple(ROWS),
        {"a": [1, 2], "b": ["x", "y"]},
        {"a": FRAME["a"], "b": FRAME["b"]},
        {"a": FRAME["a"].to_numpy(), "b": FRAME["b"].array},
        pyarrow.Table.from_pandas(FRAME),
        pyarrow.RecordBatch.from_pandas(FRAME),
        Foreign(),
    ],
)
def test_a_table_in_memory_has_many_forms(table):
    pd.testing.assert_frame_equal(as_frame(table), FRAME)
    assert name_of(table) == "the table"


@pytest.mark.parametrize("row", [ROWS[0], FRAME.iloc[0], MappingProxyType(ROWS[0])])
def test_one_row_is_a_table(row):
    pd.testing.assert_frame_equal(as_frame(row), FRAME.head(1))


def test_a_row_may_hold_a_list_for_the_check_to_refuse():
    assert as_frame({"a": [1, 2], "b": "x"})["a"].tolist() == [[1, 2]]
    assert as_frame({"a": [1, 2], "b": ["x"]}).shape == (1, 2)


@pytest.mark.parametrize("table", [None, 7, b"a,b", np.ones((2, 2)), [1, 2], {1, 2}, object])
def test_what_is_no_table_is_refused_by_its_type_alone(table):
    with pytest.raises(UnreadableTable) as caught:
        as_frame(table)
    assert str(caught.value).startswith(
        f"found an object of the type {type(table).__name__}, expected a DataFrame or an Arrow"
    )


def test_an_address_is_read(tmp_path):
    FRAME.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(as_frame(tmp_path / "a.parquet"), FRAME)
    assert name_of(tmp_path) == str(tmp_path) and name_of("-") == "standard input"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"a;b\n1;2\n", "a.csv: separated by ';', expected ','; save the table as a CSV"),
        ("a.csv", b'a;b\n1;"x, y"\n', "a.csv: separated by ';', expected ','"),
        ("a.csv", b"a\tb\n1\t2\n", "a.csv: separated by a tab, expected ','"),
        ("a.csv", b"a|b\n1|2\n", "a.csv: separated by '|', expected ','"),
        ("a.csv", b"sep=;\na;b\n", "a.csv: the first line is 'sep=;', expected the header; delete"),
        ("a.csv", b"# of 1912\na,b\n1,2\n", "the first line is '# of 1912', expected the header"),
        ("a.csv", b",a,b\n0,1,2\n", "column 1 has no name, expected one; it looks like a frame's"),
        ("a.csv", b"a,b,\n1,2,\n", "column 3 has no name, for the header ends in a comma; write"),
        ("a.csv", GZIP, "a.csv: a gzip file, expected a CSV; give it a name ending in .csv.gz"),
        ("a.csv", b"PAR1....", "a.csv: a Parquet file, expected a CSV; give it a name ending in"),
        ("a.csv", b"PK\x03\x04..", "a.csv: an Excel workbook or another zip file, expected a CSV"),
    ],
)
def test_what_other_programs_write_is_named(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnreadableTable) as caught:
        read_table(str(tmp_path / name))
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [([1, 2], "list<element: int64>"), ({"x": 1}, "struct<x: int64>")],
)
def test_a_nested_column_is_named(tmp_path, value, kind):
    pd.DataFrame({"a": [1], "b": [value]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(UnreadableTable, match="a.parquet: column b is nested") as caught:
        read_table(str(tmp_path / "a.parquet"))
    assert kind in str(caught.value)


def test_a_tilde_is_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_table(FRAME, "~/a.csv")
    assert (tmp_path / "a.csv").exists()
    assert read_table("~/a.csv")["b"].tolist() == ["x", "y"]
