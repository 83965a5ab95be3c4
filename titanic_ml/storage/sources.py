"""A table as a stream of batches, wherever it is: a CSV, Parquet files, a database, a frame."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow

from titanic_ml.errors import Fault, UnreadableTable
from titanic_ml.storage.arrow import UNNAMED, refuse_nested, to_frame
from titanic_ml.storage.csv_reader import CsvStream, RawBatch
from titanic_ml.storage.parquet_limits import rows_at_once
from titanic_ml.storage.places import CHUNK, Place, translate_errors

# Imported in functions: the reader of Parquet, which other tables do without.

ROWS = 3 << 14  # of a batch; the rows of a block of a CSV are about as many


@dataclass(frozen=True)
class Batch:
    """Rows of a table that come one after another.

    Attributes
    ----------
    frame
        Values of the rows; texts if the table is a CSV or in SQLite.
    faults
        Faults of rows that could not be read, such as a line with too few values.
    fraction
        Share of the table that has been read, 0 to 1; None if unknown.
    """

    frame: pd.DataFrame
    faults: Sequence[Fault]
    fraction: float | None


class Source(ABC):
    """Table that is open for reading: first its fingerprint, then its rows.

    Attributes
    ----------
    name
        Name of the table in messages.
    schema
        The Arrow types of its columns.
    """

    name: str
    schema: pyarrow.Schema

    @abstractmethod
    def batches(self, rows: int = ROWS) -> Iterator[Batch]:
        """Yield the rows in order, in batches of at most `rows`."""

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Read the whole table."""

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 of the content, which is read for it."""

    def file_sha256(self) -> str | None:
        """SHA-256 of the table's file, as ``sha256sum`` prints it; None if it is not one file."""
        return None


class ArrowSource(Source):
    """A table that is read in record batches."""

    @abstractmethod
    def raw(self) -> Iterator[tuple[RawBatch, float | None]]:
        """Yield the rows in order, with the share of the input that was read."""

    def batches(self, rows: int = ROWS) -> Iterator[Batch]:
        first = 1  # number of the next row
        for batch, fraction in self.raw():
            for start in range(0, len(batch.data), rows):
                data = batch.data.slice(start, rows)
                faults = [f for f in batch.faults if first <= f.row < first + len(data)]
                first += len(data)
                yield Batch(to_frame(data), faults, fraction)

    def frame(self) -> pd.DataFrame:
        batches = [batch.data for batch, _ in self.raw()]
        return to_frame(pyarrow.Table.from_batches(batches, self.schema))


class FrameSource(Source):
    """A table in memory."""

    name = "the table"

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def schema(self) -> pyarrow.Schema:
        """Arrow schema; a column without an Arrow type counts as text."""
        fields = []
        for name, values in self._frame.items():
            try:
                kind = pyarrow.Array.from_pandas(values).type
            except (pyarrow.ArrowException, TypeError):
                kind = pyarrow.string()
            fields.append((str(name), kind))
        return pyarrow.schema(fields)

    def batches(self, rows: int = ROWS) -> Iterator[Batch]:
        count = len(self._frame)
        for start in range(0, count, rows):
            part = self._frame.iloc[start : start + rows]
            yield Batch(part, (), (start + len(part)) / count)

    def frame(self) -> pd.DataFrame:
        return self._frame

    def fingerprint(self) -> str:
        return hashlib.sha256(self._frame.to_csv(index=False).encode()).hexdigest()


class CsvSource(ArrowSource):
    """A CSV, gzipped or not."""

    def __init__(self, place: Place, zipped: bool, keep_ragged: bool) -> None:
        self.name = place.name
        self._place = place
        self._zipped = zipped
        self._keep_ragged = keep_ragged
        with self._stream() as stream:
            self.schema = stream.schema

    def raw(self) -> Iterator[tuple[RawBatch, float | None]]:
        with self._stream() as stream:
            for batch in stream:
                yield batch, stream.position / max(self._place.size, 1)

    def fingerprint(self) -> str:
        return _digest([self._place])

    def file_sha256(self) -> str:
        return self.fingerprint()

    @contextmanager
    def _stream(self) -> Iterator[CsvStream]:
        with self._place.open() as file:
            text = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if self._zipped else file
            try:
                with translate_errors(self.name):
                    yield CsvStream(text, self.name, self._keep_ragged, position=file.tell)
            except (EOFError, zlib.error) as error:
                raise UnreadableTable(f"{self.name}: can't be read: {error}") from error


class ParquetSource(ArrowSource):
    """One Parquet file or several with the same columns."""

    def __init__(self, name: str, places: list[Place]) -> None:
        self.name = name
        self._places = places
        self._rows = 0
        self._rows_at_once = {}
        schemas = {}
        for place in places:
            with self._opened(place) as file, place.open() as raw:
                self._rows_at_once[place.name] = rows_at_once(raw, place.name)
                schemas[place.name] = file.schema_arrow
                self._rows += file.metadata.num_rows
        self._folders = {place.name: partition(place.name) for place in places}
        self._ranges = {name: named_ranges(schema) for name, schema in schemas.items()}
        indexes = [name for schema in schemas.values() for name in _index(schema)]
        added = [name for part in self._folders.values() for name in part]
        # A table may ignore these, if the dataset doesn't know them.
        self._optional = [*added, *(i["name"] if isinstance(i, dict) else i for i in indexes)]
        self.schema = self._common(schemas)

    def raw(self) -> Iterator[tuple[RawBatch, float | None]]:
        done = 0
        for place in self._places:
            before = done
            with self._opened(place) as file:
                for data in file.iter_batches(self._rows_at_once[place.name]):
                    data = self._complete(data, place.name, done - before)
                    done += len(data)
                    if data.schema.names != self.schema.names:
                        data = data.select(self.schema.names)
                    if len(self._places) > 1:
                        data = data.cast(self.schema)
                    yield RawBatch(data), done / max(self._rows, 1)

    def _complete(self, data: pyarrow.RecordBatch, name: str, first: int) -> pyarrow.RecordBatch:
        """Add the columns that the file doesn't store: of its folders, and of a range as index."""
        for key, (start, step) in self._ranges[name].items():
            if key not in data.schema.names:
                values = np.arange(first, first + len(data)) * step + start
                data = data.append_column(key, pyarrow.array(values))
        for key, value in self._folders[name].items():
            if key not in data.schema.names:
                column = pyarrow.array([value] * len(data), pyarrow.string())
                data = data.append_column(key, column)
        return data

    def batches(self, rows: int = ROWS) -> Iterator[Batch]:
        for batch in super().batches(rows):
            self._mark(batch.frame)
            yield batch

    def frame(self) -> pd.DataFrame:
        frame = super().frame()
        self._mark(frame)
        return frame

    def _mark(self, frame: pd.DataFrame) -> None:
        """List the columns that may be unknown in the frame's attributes."""
        if self._optional:
            frame.attrs["optional"] = [*frame.attrs.get("optional", ()), *self._optional]

    def fingerprint(self) -> str:
        return _digest(self._places)

    def file_sha256(self) -> str | None:
        return self.fingerprint() if len(self._places) == 1 else None

    def _common(self, schemas: dict[str, pyarrow.Schema]) -> pyarrow.Schema:
        """Return the types that hold those of all files; their columns must have the same names."""
        schemas = {name: self._with_partition(name, schema) for name, schema in schemas.items()}
        (first, schema), *others = schemas.items()
        for name, other in others:
            if set(other.names) != set(schema.names):
                raise UnreadableTable(
                    f"{name}: has the columns {', '.join(other.names)}, expected those of {first}: "
                    f"{', '.join(schema.names)}"
                )
        if not others:
            return schema
        try:
            every = [other.remove_metadata() for other in schemas.values()]
            return pyarrow.unify_schemas(every, promote_options="permissive")
        except pyarrow.ArrowException as error:
            raise UnreadableTable(f"{self.name}: its files differ: {error}") from error

    def _with_partition(self, name: str, schema: pyarrow.Schema) -> pyarrow.Schema:
        """Add the columns of `_complete`, and leave unnamed indexes out."""
        fields = [field for field in schema if not UNNAMED.fullmatch(field.name)]
        added = [(key, pyarrow.int64()) for key in self._ranges[name]]
        added += [(key, pyarrow.string()) for key in self._folders[name]]
        fields += [pyarrow.field(*one) for one in added if one[0] not in schema.names]
        return pyarrow.schema(fields, schema.metadata)

    @contextmanager
    def _opened(self, place: Place) -> Iterator[Any]:
        from pyarrow import parquet

        with place.open() as raw:
            try:
                file = parquet.ParquetFile(raw, buffer_size=CHUNK)
                refuse_nested(file.schema_arrow, place.name)
                yield file
            except (pyarrow.ArrowException, OSError) as error:  # OSError: a damaged page
                raise UnreadableTable(
                    f"{place.name}: not a Parquet file: {str(error).strip()}"
                ) from error


def named_ranges(schema: pyarrow.Schema) -> dict[str, tuple[int, int]]:
    """Return start and step of named ranges that pandas stored as an index, without a column."""
    ranges = [index for index in _index(schema) if isinstance(index, dict)]
    return {index["name"]: (index["start"], index["step"]) for index in ranges}


def _index(schema: pyarrow.Schema) -> list[Any]:
    """Return the named index levels of pandas' metadata: columns by name, ranges as a dict."""
    found = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    return [
        i for i in found if (i.get("name") if isinstance(i, dict) else not UNNAMED.fullmatch(i))
    ]


def partition(name: str) -> dict[str, str | None]:
    """Return the columns that the folders of a file name, as in ``Pclass=1/Sex=male/a.parquet``."""
    parts = (part.partition("=") for part in name.split("/")[:-1] if "=" in part)
    empty = "__HIVE_DEFAULT_PARTITION__"
    return {key: None if value == empty else unquote(value) for key, _, value in parts if key}


def _digest(places: list[Place]) -> str:
    digest = hashlib.sha256()
    for place in places:
        with place.open() as file, translate_errors(place.name):
            while data := file.read(CHUNK):
                digest.update(data)
    return digest.hexdigest()
