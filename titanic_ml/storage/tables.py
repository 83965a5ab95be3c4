"""Read and write tables by URI: CSV (also gzipped), Parquet, `-` for standard input and output."""

from __future__ import annotations

import csv
import gzip
import io
import logging
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pandas as pd

from titanic_ml.errors import SettingsError, UnreadableTable
from titanic_ml.storage.files import write_file

log = logging.getLogger(__name__)
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
        data = Path(uri).expanduser().read_bytes()
        if suffix == ".csv.gz":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise UnreadableTable(f"{uri}: no such file (looked for {Path(uri).absolute()})") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTable(
            f"{uri}: can't be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    return _parse_parquet(data, uri) if suffix == ".parquet" else _parse_csv(data, uri)


class ArrowTable(Protocol):
    """A table of any library that can hand it over as an Arrow stream: pyarrow, polars, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Table: TypeAlias = (
    pd.DataFrame
    | pd.Series
    | ArrowTable
    | Mapping[str, Any]
    | Sequence[Mapping[str, Any]]
    | str
    | Path
)


COLUMNS = (list, tuple, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)


def as_frame(table: Table) -> pd.DataFrame:
    """The DataFrame of a table: of its URI, of one in memory, of a row as a dict or a Series, of
    columns as a dict of lists, or of a list of rows.

    Raises
    ------
    UnreadableTable
        It is none of these, or `read_table` can't read it. The content is not in the message.
    """
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, (str, Path)):
        return read_table(str(table))
    if isinstance(table, pd.Series):
        return table.to_frame().T.infer_objects()
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        import pyarrow

        return pyarrow.table(table).to_pandas()
    if isinstance(table, Mapping):
        columns = [isinstance(value, COLUMNS) for value in table.values()]
        if columns and all(columns) and len({len(value) for value in table.values()}) == 1:
            return pd.DataFrame(dict(table))
        return pd.DataFrame([dict(table)])
    if isinstance(table, (list, tuple)) and all(isinstance(row, Mapping) for row in table):
        return pd.DataFrame([dict(row) for row in table])
    raise UnreadableTable(
        f"found an object of the type {type(table).__name__}, expected a DataFrame or an Arrow "
        "table, a row as a dict, a list of such rows, or the address of a table"
    )


def check_output(uri: str) -> None:
    """Refuse an address of no known kind of table, before any work is done for it.

    Raises
    ------
    SettingsError
        With what is known.
    """
    if uri != "-":
        try:
            _suffix(uri)
        except UnreadableTable as error:
            raise SettingsError(str(error)) from error


def name_of(table: Table) -> str:
    """What to call a table in a message."""
    if not isinstance(table, (str, Path)):
        return "the table"
    return {"-": "standard input"}.get(str(table), str(table))


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
        write_file(Path(uri).expanduser(), _formatted(frame, suffix))
    except OSError as error:
        raise UnreadableTable(f"{uri}: can't be written: {error.strerror}") from error
    log.info("%s: %d rows written", uri, len(frame))


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
    from pyarrow import parquet

    try:
        schema = parquet.read_schema(io.BytesIO(data))
        nested = [field.name for field in schema if pyarrow.types.is_nested(field.type)]
        if not nested:
            return pd.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as error:  # OSError: a damaged page
        raise UnreadableTable(f"{source}: not a Parquet file: {str(error).strip()}") from error
    raise UnreadableTable(
        f"{source}: column {nested[0]} is nested ({schema.field(nested[0]).type}), expected one "
        "plain value in each row; take it apart into columns of its own"
    )


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
        _check_header(text, header, source)
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


def _check_header(text: str, header: list[str], source: str) -> None:
    """Refuse what other programs write as a CSV, by what it is."""
    line = text.lstrip().splitlines()[0]
    if line.startswith("#") or line.lower().startswith("sep="):
        shown = line if len(line) <= 40 else line[:40] + "…"
        raise UnreadableTable(
            f"{source}: the first line is {shown!r}, expected the header; delete the line"
        )
    for mark, name in ((";", "';'"), ("\t", "a tab"), ("|", "'|'")):
        if len(header) == 1 and mark in line:
            raise UnreadableTable(
                f"{source}: separated by {name}, expected ','; save the table as a CSV with commas"
            )
    names = [name.strip() for name in header]
    if any(name.isdecimal() for name in names):
        return  # a row of values: that there is no header, the check of the table says better
    if "" not in names[:1] and names[-1:] == [""]:
        raise UnreadableTable(
            f"{source}: column {len(names)} has no name, for the header ends in a comma; write the "
            "table without commas at the end of its lines"
        )
    if "" in names[:1]:
        raise UnreadableTable(
            f"{source}: column 1 has no name, expected one; it looks like a frame's index: write "
            "with index=False"
        )


MAGIC = {
    b"\x1f\x8b": "a gzip file, expected a CSV; give it a name ending in .csv.gz",
    b"PAR1": "a Parquet file, expected a CSV; give it a name ending in .parquet",
    b"PK\x03\x04": "an Excel workbook or another zip file, expected a CSV; save the table as one",
}


def _decoded(data: bytes, source: str) -> str:
    """The text of a CSV file, or the reason why it is none."""
    for start, what in MAGIC.items():
        if data.startswith(start):
            raise UnreadableTable(f"{source}: {what}")
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
