"""Sinks of tables: all batches are written, or nothing."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import pandas as pd
import pyarrow

from titanic_ml.errors import SettingsError, UnwritableTable
from titanic_ml.storage.address import PREDICTED_AT, RUN_ID, Address, FileAddress, SqlAddress
from titanic_ml.storage.files import filling_temporary, temporary_file, whole_file
from titanic_ml.storage.table_logs import refuse_to_write

# Imported in functions: the databases, which are an extra, and the writer of each format.

Schema: TypeAlias = pyarrow.Schema
Rows: TypeAlias = pd.DataFrame | pyarrow.RecordBatch
Write: TypeAlias = Callable[[Rows], None]
KINDS = {
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "category": pyarrow.string(),
    "text": pyarrow.string(),
    "bool": pyarrow.bool_(),
    "date": pyarrow.string(),
    "time": pyarrow.timestamp("s", "UTC"),
}


def schema_of(kinds: Mapping[str, str]) -> pyarrow.Schema:
    """Make the Arrow schema of columns from their kinds, which are of `KINDS`."""
    return pyarrow.schema([(name, KINDS[kind]) for name, kind in kinds.items()])


def with_columns(schema: pyarrow.Schema, kinds: Mapping[str, str]) -> pyarrow.Schema:
    """Add columns to a schema."""
    return pyarrow.schema([*schema.remove_metadata(), *schema_of(kinds)])


def check_sink(address: Address, schema: pyarrow.Schema) -> None:
    """Refuse an output that can't be written, before the work starts.

    Raises
    ------
    SettingsError, UnwritableTable
        It can only be read, its folder isn't there, or the database says why not.
    """
    if isinstance(address, SqlAddress):
        from titanic_ml.storage.sql import check_sql_output

        check_sql_output(address, schema)
    elif address.place in ("http", "bucket") or "*" in address.path:
        raise SettingsError(
            f"{address.shown}: can only be read, expected a local file or a table of a database"
        )
    elif address.place == "standard" and sys.stdout is None:
        raise UnwritableTable("standard output is closed; name a file with --output")
    elif address.place == "local":
        path = Path(address.path)
        refuse_to_write(path, address.shown)
        folder = path if address.many and path.exists() else path.parent
        if not folder.is_dir():
            raise UnwritableTable(f"{address.shown}: can't be written: No such file or directory")
        if not address.many and path.is_dir():
            raise UnwritableTable(f"{address.shown}: can't be written: Is a directory")
        if not os.access(folder, os.W_OK):
            raise UnwritableTable(f"{address.shown}: can't be written: Permission denied")


@contextmanager
def open_sink(address: Address, schema: pyarrow.Schema, run: str = "") -> Iterator[Write]:
    """Yield a writer of frames; they are kept if no error ends the block, else none is.

    Parameters
    ----------
    address
        A file, which is replaced; a folder, which gets one file for the run; a table, where the
        rows of the run are replaced.
    schema
        The columns of each frame.
    run
        The run's id.

    Raises
    ------
    SettingsError, UnwritableTable
        It can't be written to, or a disk is full.
    """
    check_sink(address, schema)
    try:
        if isinstance(address, SqlAddress):
            from titanic_ml.storage.sql import sql_writer

            with sql_writer(address, schema, run) as insert:
                yield lambda frame: insert(_batch(frame, schema))
        elif address.place == "standard":
            with temporary_file() as waiting:
                with filling_temporary():
                    with _format(waiting, address, schema) as write:
                        yield write
                    waiting.seek(0)  # with it, what a buffer holds is written
                sys.stdout.flush()
                shutil.copyfileobj(waiting, sys.stdout.buffer)
        else:
            path = path_of(address, run)
            path.parent.mkdir(exist_ok=True)
            with whole_file(path) as file, _format(file, address, schema) as write:
                yield write
    except OSError as error:
        if isinstance(address, FileAddress) and address.place == "standard":
            raise
        raise UnwritableTable(f"{address.shown}: can't be written: {error.strerror}") from error


def path_of(address: FileAddress, run: str) -> Path:
    """Return the local file of a run."""
    return Path(address.path, f"{run}.parquet") if address.many else Path(address.path)


def time_of_run(address: Address, run: str) -> str | None:
    """When the rows that a sink has of a run were predicted, in ISO 8601; None without any."""
    if isinstance(address, SqlAddress):
        from titanic_ml.storage import sql

        return sql.time_of_run(address, run)
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path_of(address, run)) as file:
            (row,) = next(file.iter_batches(1, columns=[RUN_ID, PREDICTED_AT])).to_pylist()
        return row[PREDICTED_AT].isoformat() if row[RUN_ID] == run else None
    except (OSError, pyarrow.ArrowException, StopIteration, ValueError, KeyError):
        return None  # another table, or none


@contextmanager
def _format(file: BinaryIO, address: FileAddress, schema: pyarrow.Schema) -> Iterator[Write]:
    """Yield a writer of frames to a file in the format of the address."""
    if address.suffix == ".parquet":
        from pyarrow import parquet

        words = [field.name for field in schema if not _is_number(field.type)]
        with parquet.ParquetWriter(file, schema, use_dictionary=words) as writer:
            yield lambda frame: writer.write_batch(_batch(frame, schema))
        return
    if address.suffix == ".csv.gz":
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped:
            yield _csv(cast(BinaryIO, zipped), schema)
    else:
        yield _csv(file, schema)


def _is_number(kind: pyarrow.DataType) -> bool:
    """Check whether a type's values seldom repeat, so that a dictionary would make files larger."""
    return pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)


def _csv(file: BinaryIO, schema: pyarrow.Schema) -> Write:
    from pyarrow import csv

    whole_numbers = all(map(pyarrow.types.is_integer, schema.types))
    options = csv.WriteOptions(include_header=False, quoting_style="none")

    def write(rows: Rows) -> None:
        if whole_numbers:  # ten times as quick, and no number is written in another way
            csv.write_csv(_batch(rows, schema), file, options)
            return
        frame = rows if isinstance(rows, pd.DataFrame) else rows.to_pandas()
        text = frame.to_csv(
            index=False, header=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ"
        )
        file.write(text.encode())

    header = pd.DataFrame(columns=schema.names).to_csv(index=False, lineterminator="\n")
    file.write(header.encode())
    return write


def _batch(frame: Rows, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    """Convert a frame to the types of a schema; other values become texts."""
    if isinstance(frame, pyarrow.RecordBatch):
        return frame
    columns = []
    for field in schema:
        values = frame[field.name]
        if pyarrow.types.is_string(field.type) and values.dtype == object:
            values = values.where(values.isna(), values.astype(str))
        column = pyarrow.Array.from_pandas(values, type=field.type)
        chunked = isinstance(column, pyarrow.ChunkedArray)
        columns.append(column.combine_chunks() if chunked else column)
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)
