"""Limits on Parquet files: a few bytes can decode to gigabytes of text."""

from __future__ import annotations

from typing import Any

import pyarrow
from pyarrow import compute, parquet

from titanic_ml.errors import UnreadableTable

MOST_ROWS = 3 << 14  # of a batch
MOST_BATCH_BYTES = 64 << 20  # of the texts of a column in a batch
MOST_GROUP_BYTES = 1 << 30  # of a row group, uncompressed
MOST_TEXT_BYTES = 10_000  # of a text


def rows_at_once(file: Any, name: str) -> int:
    """Return how many rows may be read at once, so that their texts need little memory.

    Parameters
    ----------
    file : a binary file, open for reading
    name : of the file in messages

    Raises
    ------
    UnreadableTable
        A text, or a row group, is too long.
    """
    metadata = parquet.read_metadata(file)
    names = [field.name for field in metadata.schema.to_arrow_schema() if _is_text(field.type)]
    longest = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if group.total_byte_size > MOST_GROUP_BYTES:
            raise UnreadableTable(
                f"{name}: row group {number + 1} has {group.total_byte_size:,} bytes uncompressed, "
                f"expected at most {MOST_GROUP_BYTES:,}; write the table with smaller row groups"
            )
        chunks = [group.column(place) for place in range(group.num_columns)]
        # Only these can hold a text that needs smaller batches.
        large = [
            chunk.path_in_schema
            for chunk in chunks
            if chunk.path_in_schema in names
            and chunk.total_uncompressed_size > MOST_BATCH_BYTES // MOST_ROWS
        ]
        for column, length in _longest_texts(file, number, large).items():
            if length > MOST_TEXT_BYTES:
                raise UnreadableTable(
                    f"{name}: column {column} holds a text of {length:,} bytes, expected at most "
                    f"{MOST_TEXT_BYTES:,}"
                )
            longest = max(longest, length)
        for chunk in chunks:
            mean = chunk.total_uncompressed_size // max(group.num_rows, 1)
            if mean > MOST_TEXT_BYTES:
                raise UnreadableTable(
                    f"{name}: column {chunk.path_in_schema} holds {mean:,} bytes a row, expected "
                    f"at most {MOST_TEXT_BYTES:,}"
                )
            longest = max(longest, mean)
    return max(1, min(MOST_ROWS, MOST_BATCH_BYTES // max(longest, 1)))


def _longest_texts(file: Any, group: int, names: list[str]) -> dict[str, int]:
    """Return the bytes of the longest text in the dictionary of each column of a row group."""
    if not names:
        return {}
    opened = parquet.ParquetFile(file, read_dictionary=names)
    first = next(opened.iter_batches(1, row_groups=[group], columns=names), None)
    found = {}
    for name, column in zip(first.schema.names, first.columns) if first else ():
        if pyarrow.types.is_dictionary(column.type) and len(column.dictionary):
            lengths = compute.binary_length(column.dictionary)
            found[name] = compute.max(lengths).as_py() or 0
    return found


def _is_text(kind: pyarrow.DataType) -> bool:
    return (
        pyarrow.types.is_string(kind)
        or pyarrow.types.is_large_string(kind)
        or pyarrow.types.is_binary(kind)
        or pyarrow.types.is_large_binary(kind)
    )
