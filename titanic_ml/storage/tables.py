"""Read and write tables by URI: CSV (also gzipped), Parquet, `-` for standard input and output."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.files import write_file

SUFFIXES = (".csv", ".csv.gz", ".parquet")


def read_table(uri: str) -> pd.DataFrame:
    """Read a whole table. The columns of a CSV come out as text: the schema gives them their kinds.

    Parameters
    ----------
    uri
        A path that ends in ``.csv``, ``.csv.gz`` or ``.parquet``, or ``-`` for a CSV on standard
        input.

    Raises
    ------
    UnreadableTable
        No such file, another format or encoding, an empty file, or lines of unequal length.
    """
    if uri == "-":
        return _parse_csv(sys.stdin.buffer.read(), "standard input")
    suffix = _suffix(uri)
    try:
        data = Path(uri).read_bytes()
        if suffix == ".csv.gz":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise UnreadableTable(f"{uri}: no such file (looked for {Path(uri).absolute()})") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTable(
            f"{uri}: can't be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    return _parse_parquet(data, uri) if suffix == ".parquet" else _parse_csv(data, uri)


def write_table(frame: pd.DataFrame, uri: str) -> None:
    """Write a whole table; a file appears under its name complete or not at all.

    Parameters
    ----------
    frame
        The table; its index is not written.
    uri
        A path that ends in ``.csv``, ``.csv.gz`` or ``.parquet``, or ``-`` for a CSV on standard
        output.

    Raises
    ------
    UnreadableTable
        The format is unknown, or the file can't be written.
    """
    if uri == "-":
        sys.stdout.write(frame.to_csv(index=False, lineterminator="\n"))
        return
    suffix = _suffix(uri)
    try:
        write_file(Path(uri), _formatted(frame, suffix))
    except OSError as error:
        raise UnreadableTable(f"{uri}: can't be written: {error.strerror}") from error


def _formatted(frame: pd.DataFrame, suffix: str) -> bytes:
    if suffix == ".parquet":
        return frame.to_parquet(index=False)
    data = frame.to_csv(index=False, lineterminator="\n").encode()
    return gzip.compress(data, mtime=0) if suffix == ".csv.gz" else data


def _suffix(uri: str) -> str:
    for suffix in SUFFIXES:
        if uri.lower().endswith(suffix):
            return suffix
    raise UnreadableTable(
        f"{uri}: unknown kind of table, expected a name ending in {', '.join(SUFFIXES)}"
    )


def _parse_parquet(data: bytes, source: str) -> pd.DataFrame:
    import pyarrow

    try:
        return pd.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as error:  # OSError: a damaged page
        raise UnreadableTable(f"{source}: not a Parquet file: {str(error).strip()}") from error


def _parse_csv(data: bytes, source: str) -> pd.DataFrame:
    import pyarrow
    from pyarrow import csv as arrow

    text = _decoded(data, source)
    ragged: list[Any] = []

    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        header = next(filter(None, csv.reader(io.StringIO(text, newline=None))), [])
        if not re.search(r"[\r\n]", text.strip()):
            return pd.DataFrame([], columns=header, dtype="str")
        table = arrow.read_csv(
            io.BytesIO(text.encode()),
            arrow.ReadOptions(use_threads=False),
            arrow.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            arrow.ConvertOptions(
                column_types=dict.fromkeys(header, pyarrow.string()),
                strings_can_be_null=True,
                null_values=[""],  # what else says that a value is missing, the data set knows
            ),
        )
    except (csv.Error, pyarrow.ArrowInvalid) as error:
        raise UnreadableTable(f"{source}: not a CSV table: {error}") from error
    if ragged:
        shown = [f"row {row.number - 1} has {row.actual_columns}" for row in ragged[:20]]
        more = f" … and {len(ragged) - 20} more" if len(ragged) > 20 else ""
        raise UnreadableTable(
            f"{source}: expected {len(header)} values in each row as in the header, "
            f"but {', '.join(shown)}{more}"
        )
    return table.to_pandas()


def _decoded(data: bytes, source: str) -> str:
    """The text of a CSV file, or the reason why it is none."""
    if not data.strip():
        raise UnreadableTable(f"{source}: the file is empty, expected a header and rows")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableTable(
            f"{source}: line {line} is not UTF-8 (byte 0x{data[error.start]:02x}); "
            "save the table as a CSV in UTF-8"
        ) from error
    if "\0" in text:
        raise UnreadableTable(f"{source}: not a CSV table in UTF-8 (it holds zero bytes)")
    return text
