"""A CSV as a stream: the same rows in blocks of any size, and ragged rows in their places."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.csv_reader import CsvStream

CELLS = st.text(st.sampled_from('ab é,"\n'), max_size=4)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=30)


def stream(data: bytes, keep_ragged: bool = False, block: int = 1 << 20):
    return CsvStream(io.BytesIO(data), "a.csv", keep_ragged, block)


def as_text(rows: list[list[str]]) -> bytes:
    csv.writer(text := io.StringIO(newline=""), quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@given(rows=ROWS, block=st.integers(64, 400))
def test_ragged_rows_have_a_fault_each_in_blocks_of_any_size(rows, block):
    found, faults = [], []
    for batch in stream(as_text([["x", "y", "z"], *rows]), keep_ragged=True, block=block):
        found += [list(row.values()) for row in batch.data.to_pylist()]
        faults += batch.faults
        assert all(fault.row <= len(found) for fault in batch.faults)
    padded = [[value or None for value in row[:3]] + [None] * (3 - len(row)) for row in rows]
    assert found == padded
    ragged = [number for number, row in enumerate(rows, start=1) if len(row) != 3]
    assert [fault.row for fault in faults] == ragged
    for fault in faults:
        assert fault.found == f"{len(rows[fault.row - 1])} values"
        assert fault.expected.startswith("3 as in the header, in the line")


def test_the_whole_line_of_a_ragged_row_is_kept():
    (batch,) = stream(b'a,b\n1,"x, y",3,4\n', keep_ragged=True)
    (fault,) = batch.faults
    assert fault.expected.endswith("""in the line '1,"x, y",3,4'""")
    assert batch.data.to_pylist() == [{"a": "1", "b": "x, y"}]


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_ragged_rows_are_refused_after_the_whole_file_was_read(block):
    data = b"a,b\n" + b"1,2\n" * 100 + b"1\n" + b"1,2\n" * 100 + b"1,2,3\n"
    with pytest.raises(UnreadableTable, match="but row 101 has 1, row 202 has 3$"):
        list(stream(data, block=block))


def test_what_is_no_text_is_reported_by_its_line_however_late():
    data = b"a,b\n" + b"1,2\n" * 1000 + "é,é\n".encode() * 50 + b"\xe9,2\n"
    with pytest.raises(UnreadableTable, match=r"line 1052 is not UTF-8 \(byte 0xe9\)"):
        list(stream(data, block=101))
    with pytest.raises(UnreadableTable, match="it holds zero bytes"):
        list(stream(b"a,b\n" + b"1,2\n" * 1000 + b"\0,2\n", block=101))
    with pytest.raises(UnreadableTable, match="line 2 is not UTF-8"):
        list(stream(b"a,b\n1," + "é".encode()[:1]))


def test_a_row_that_is_longer_than_what_is_read_at_once_is_reported():
    with pytest.raises(UnreadableTable, match="a row is longer than 100 bytes; is a quote left"):
        list(stream(b'a,b\n1,2\n"' + b"x" * 500, block=100))


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    data = b"\xef\xbb\xbfa,b\n1,2\n"
    assert stream(data).schema.names == ["a", "b"]
    assert [batch.data.to_pylist() for batch in stream(data)] == [[{"a": "1", "b": "2"}]]


def test_the_position_is_that_of_the_rows_not_of_what_was_read_ahead():
    data = b"a,b\n" + b"1,2\n" * 1000
    found = stream(data, block=400)
    positions = [found.position for _ in found]
    assert positions == sorted(positions) and positions[-1] == len(data)
    assert len(set(positions)) >= 8 and positions[0] < len(data) / 5
