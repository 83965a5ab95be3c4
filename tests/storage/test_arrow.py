"""Arrow tables in memory, as frames."""

from __future__ import annotations

import pyarrow as pa
import pytest

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.arrow import arrow_frame, to_frame


def test_whole_numbers_stay_whole_beside_missing_values():
    frame = arrow_frame(pa.table({"a": [1, None]}), "the table")
    assert frame["a"].tolist() == [1, None]


def test_runs_are_decoded_and_unnamed_indexes_left_out():
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, 2.0])
    table = pa.table({"a": runs, "__index_level_0__": [1, 2, 3]})
    assert arrow_frame(table, "the table").to_dict("list") == {"a": [1.0, 1.0, 2.0]}
    assert list(to_frame(table.select(["__index_level_0__"]))) == []


@pytest.mark.parametrize("column", [[[1]], [{"a": 1}]])
def test_a_nested_column_is_refused(column):
    with pytest.raises(UnreadableTable, match="the table: column a is nested"):
        arrow_frame(pa.table({"a": column}), "the table")


def test_what_arrow_can_not_convert_is_a_sentence():
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise NotImplementedError("no type for int128")

    with pytest.raises(UnreadableTable, match="can't be converted: no type for int128; cast"):
        arrow_frame(Broken(), "the table")


def test_the_column_that_arrow_can_not_convert_is_named():
    class Broken:
        columns = ["a", "b"]

        def __arrow_c_stream__(self, requested_schema=None):
            raise NotImplementedError("no type for int128")

        def __getitem__(self, name):
            return pa.chunked_array([[1]]) if name == "a" else self

    with pytest.raises(UnreadableTable, match="the table, column b: can't be converted: no type"):
        arrow_frame(Broken(), "the table")


def test_a_single_column_is_no_table():
    with pytest.raises(UnreadableTable, match="found a single column .ChunkedArray., expected a"):
        arrow_frame(pa.chunked_array([[1.0]]), "the table")
