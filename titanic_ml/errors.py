"""The exceptions, drawn as a tree.

TitanicError                     what a command prints as one message
├── SettingsError                the settings or the command line are at fault (exit code 2)
├── DataError                    a table is at fault (exit code 1)
│   ├── UnreadableTable          not a table, not UTF-8, empty
│   │   └── MissingTable         no such file, folder or table
│   ├── UnwritableTable          a full disk, a table of other columns, a database that is away
│   └── InvalidTable             a table that breaks the schema; lists its faults
├── WorkersFailed                a worker process died or could not be started (exit code 1)
├── TrackingError                MLflow is away, or refuses what it is sent (exit code 1)
└── ModelError                   a model version is at fault (exit code 1)
    ├── ModelNotFound            no such version or alias
    │   └── EmptyStore           there is no version at all
    ├── ModelRefused             damaged, not signed, or made by other library versions
    ├── PromotionRefused         the gate found it worse than the champion
    └── StoreUnusable            where versions are kept can't be reached, read or written
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_FAULTS = 20


class TitanicError(Exception):
    """Base of all errors for users: what was found and expected, and what to do."""

    exit_code = 1


class SettingsError(TitanicError):
    """A setting or an argument is unknown, missing or of the wrong type."""

    exit_code = 2


def nearest(word: str, names: Sequence[str]) -> str:
    """Suggest the nearest name, as the end of a sentence.

    >>> nearest("sed", ["seed", "env"]), nearest("zzz", ["seed", "env"])
    ('; did you mean seed?', '; expected one of seed, env')
    """
    near = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(names)}"


class WorkersFailed(TitanicError):
    """Worker processes died, or could not be started."""


class DataError(TitanicError):
    """A table cannot be used."""


class UnreadableTable(DataError):
    """The address holds no table that can be read."""


class MissingTable(UnreadableTable):
    """There is no file, folder or table at the address."""


class UnwritableTable(DataError):
    """A table can't be written to its address."""


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a table.

    Attributes
    ----------
    row
        Number of the row, counted from 1 below the header; 0 if the fault is not in one row.
    column
        Name of the column; empty if the fault is not in one column.
    found, expected
        The value, and what it should be.
    """

    row: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        places = [f"row {self.row}"] * (self.row > 0) + [f"column {self.column}"] * bool(
            self.column
        )
        where = ", ".join(places)
        return f"{where}{': ' if where else ''}found {self.found}, expected {self.expected}"


class InvalidTable(DataError):
    """A table breaks its schema.

    Attributes
    ----------
    source
        Name of the table in the message: that of a file, or "the table".
    faults
        Every fault found, in the order of rows; of a stream the first thousands.
    count
        Number of faults.
    """

    def __init__(self, source: str, faults: Sequence[Fault], count: int | None = None):
        self.source = source
        self.faults = sorted(faults)
        self.count = len(faults) if count is None else count
        super().__init__(source, faults, self.count)

    def __str__(self) -> str:
        count = self.count
        lines = [
            f"{self.source} has {count} fault{'s' * (count != 1)}; mend the table and try again:"
        ]
        lines += [f"  {fault}" for fault in self.faults[:SHOWN_FAULTS]]
        if count > SHOWN_FAULTS:
            lines.append(f"  … and {count - SHOWN_FAULTS} more")
        return "\n".join(lines)


class TrackingError(TitanicError):
    """MLflow can't be reached, or refuses what it is sent."""


class ModelError(TitanicError):
    """A model version cannot be used."""


class ModelNotFound(ModelError):
    """The store holds no such version or alias."""


class EmptyStore(ModelNotFound):
    """The store holds no version at all, or is not there."""


class ModelRefused(ModelError):
    """A version is damaged, not signed with the right key, or made by other library versions."""


class PromotionRefused(ModelError):
    """The gate found the version worse than the champion."""


class StoreUnusable(ModelError):
    """Where versions are kept can't be reached, read or written."""
