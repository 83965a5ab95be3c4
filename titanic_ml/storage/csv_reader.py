"""Stream of a CSV's record batches of texts, checked while it is read."""

from __future__ import annotations

import bisect
import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow
from pyarrow import csv as arrow

from titanic_ml.errors import SHOWN_FAULTS, Fault, UnreadableTable

BLOCK = 3 << 20  # bytes that are read at once; no row may be longer


@dataclass(frozen=True)
class RawBatch:
    """Rows of a table.

    Attributes
    ----------
    data
        Values of the rows.
    faults
        Faults of rows with too few or too many values in their line; the row has those that fit.
    """

    data: pyarrow.RecordBatch
    faults: Sequence[Fault] = ()


class CsvStream:
    """The rows of a CSV, in batches.

    Parameters
    ----------
    file
        Content of the file.
    source
        Name of the file in messages.
    keep_ragged
        Whether a row of too few or too many values is kept, with its fault; if not, it is refused.
    block
        Bytes that are read at once.
    position
        How much of the file was read, by default its own position; of a zipped one, what was
        unzipped.

    Raises
    ------
    UnreadableTable
        It is not a CSV in UTF-8 with a header; for what is found later, the iteration raises.
    """

    def __init__(
        self,
        file: BinaryIO,
        source: str,
        keep_ragged: bool = False,
        block: int = BLOCK,
        position: Callable[[], int] | None = None,
    ) -> None:
        self.source = source
        self.keep_ragged = keep_ragged
        self.block = block
        self._ragged: list[Any] = []
        self._refused = 0
        self._text = _CheckedText(file, source, position or file.tell)
        self._bytes = io.BufferedReader(self._text, block)
        self._parsed_bytes = 0
        head = self._bytes.peek(block)
        text = _start(head, source)
        try:
            header = next(filter(None, csv.reader(io.StringIO(text, newline=None))), [])
        except csv.Error as error:
            raise UnreadableTable(f"{source}: not a CSV table: {error}") from error
        _check_header(text, header, source)
        self.schema = pyarrow.schema([(name, pyarrow.string()) for name in header])
        self._empty = len(head) < block and not re.search(r"[\r\n]", text.strip())

    def __iter__(self) -> Iterator[RawBatch]:
        if self._empty:
            return
        first = 1
        try:
            for data in self._parsed():
                batch = self._completed(data, first)
                self._parsed_bytes += self.block
                first += len(batch.data)
                if not self._refused:
                    yield batch
        except pyarrow.ArrowInvalid as error:
            reason = str(error)
            if "straddl" in reason:
                reason = f"a row is longer than {self.block:,} bytes; is a quote left open?"
            raise UnreadableTable(f"{self.source}: not a CSV table: {reason}") from error
        if self._ragged and self.keep_ragged:  # at the end of the file
            yield self._completed(pyarrow.RecordBatch.from_pylist([], self.schema), first, True)
        elif self._refused:
            self._refuse()

    @property
    def position(self) -> int:
        """About how much of the file stands for the rows that came; more was read ahead."""
        return self._text.position_at(self._parsed_bytes)

    def _parsed(self) -> Iterator[pyarrow.RecordBatch]:
        names = self.schema.names
        reader = arrow.open_csv(
            self._bytes,
            arrow.ReadOptions(use_threads=False, block_size=self.block),
            arrow.ParseOptions(newlines_in_values=True, invalid_row_handler=self._set_aside),
            arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()),
                strings_can_be_null=True,
                null_values=[""],  # what else says that a value is missing, the data set knows
            ),
        )
        yield from reader

    def _set_aside(self, row: Any) -> str:
        if self.keep_ragged or self._refused < SHOWN_FAULTS:
            self._ragged.append(row)
        self._refused += not self.keep_ragged
        return "skip"

    def _completed(self, data: pyarrow.RecordBatch, first: int, ended: bool = False) -> RawBatch:
        """Return a batch with its ragged rows in place; `first` is the number of its first row."""
        if not self.keep_ragged:
            return RawBatch(data)
        end, found = first + len(data), []
        while self._ragged and (ended or _number(self._ragged[0]) < end):
            found.append(self._ragged.pop(0))
            end += 1
        if not found:
            return RawBatch(data)
        width = len(self.schema)
        places = [_number(row) - first for row in found]
        values = [_values(row.text, width) for row in found]
        columns = [pyarrow.array(column, pyarrow.string()) for column in zip(*values)]
        rows = pyarrow.RecordBatch.from_arrays(columns, schema=self.schema)
        order = list(range(len(data)))
        for count, place in enumerate(places):
            order.insert(place, len(data) + count)
        both = pyarrow.concat_batches([data, rows])
        faults = [
            Fault(
                _number(row),
                "",
                f"{row.actual_columns} values",
                f"{width} as in the header, in the line {row.text!r}",
            )
            for row in found
        ]
        return RawBatch(both.take(pyarrow.array(order)), faults)

    def _refuse(self) -> None:
        shown = [f"row {_number(row)} has {row.actual_columns}" for row in self._ragged]
        left = self._refused - len(shown)
        more = f" … and {left} more" if left else ""
        raise UnreadableTable(
            f"{self.source}: expected {len(self.schema)} values in each row as in the header, "
            f"but {', '.join(shown)}{more}"
        )


def _number(row: Any) -> int:
    """Number an invalid row of pyarrow, from 1 below the header."""
    return row.number - 1


def _values(line: str, width: int) -> list[str | None]:
    found = next(csv.reader(io.StringIO(line, newline="")), [])[:width]
    return [value or None for value in found] + [None] * (width - len(found))


class _CheckedText(io.RawIOBase):
    """Bytes of a file, checked to be UTF-8."""

    def __init__(self, file: BinaryIO, source: str, position: Callable[[], int]) -> None:
        self.file = file
        self.source = source
        self.position = position
        self._marks = [(0, 0)]  # bytes of text, and how much of the file stood for them
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._lines = 0
        self._started = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; less only at the end of the file."""
        view, filled = memoryview(buffer).cast("B"), 0
        while filled < len(view) and (data := self.file.read(len(view) - filled)):
            view[filled : filled + len(data)] = data
            filled += len(data)
        self._check(bytes(view[:filled]), ended=filled < len(view))
        if filled:
            self._marks.append((self._marks[-1][0] + filled, self.position()))
        return filled

    def position_at(self, count: int) -> int:
        """Return the position in the file for a number of bytes of text."""
        place = bisect.bisect_left(self._marks, (count, 0))
        return self._marks[min(place, len(self._marks) - 1)][1]

    def _check(self, data: bytes, ended: bool) -> None:
        if not self._started:
            self._started = True
            for start, what in MAGIC.items():
                if data.startswith(start):
                    raise UnreadableTable(f"{self.source}: {what}")
        try:
            self._decode(data, ended)
        except UnicodeDecodeError as error:
            data = error.object  # with the start of a character from before
            line = self._lines + data.count(b"\n", 0, error.start) + 1
            raise UnreadableTable(
                f"{self.source}: line {line} is not UTF-8 (byte 0x{data[error.start]:02x}); "
                "save the table as a CSV in UTF-8"
            ) from error
        if b"\0" in data:
            raise UnreadableTable(f"{self.source}: not a CSV table in UTF-8 (it holds zero bytes)")
        self._lines += data.count(b"\n")


def _start(head: bytes, source: str) -> str:
    """Read the start of a file, with the header."""
    if not head.strip():
        raise UnreadableTable(f"{source}: the file is empty, expected a header and rows")
    return head.decode("utf-8-sig", errors="ignore")  # a character may be cut at the end


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
