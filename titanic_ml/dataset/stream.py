"""Validation of a table in parts, with the faults of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from titanic_ml.dataset.columns import check
from titanic_ml.dataset.faults import repeated_value
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import Fault, InvalidTable


class StreamValidator:
    """Checks the rows of a table part by part, without its target.

    It keeps eight bytes of each value of a unique column, to find it again in later parts.

    Parameters
    ----------
    spec : what the columns may hold
    source : name of the table in messages
    """

    def __init__(self, spec: DatasetSpec, source: str) -> None:
        self.spec = spec
        self.source = source
        self._seen = {
            name: Seen()
            for name, column in spec.columns.items()
            if column.unique and name != spec.target
        }

    def part(
        self, frame: pd.DataFrame, first: int, known: Iterable[Fault] = ()
    ) -> tuple[pd.DataFrame, dict[int, list[Fault]]]:
        """Return the typed columns of some rows, and by row number the faults of each faulty row.

        Only these rows are looked at, so parts may be checked concurrently.

        Parameters
        ----------
        frame : the rows
        first : number of the first row in the table
        known : faults that the reader found; the returned columns leave these rows out, and have
            the numbers of the other rows as index

        Raises
        ------
        InvalidTable
            The columns are at fault, so that no row can be read.
        """
        faults = defaultdict(list)
        for fault in known:
            faults[fault.row].append(fault)
        numbers = np.arange(len(frame)) + first
        if faults:
            whole = ~np.isin(numbers, list(faults))
            frame, numbers = frame[whole], numbers[whole]
        parsed, found = check(frame, self.spec, with_target=False, numbers=numbers)
        if not all(fault.row for fault in found):
            raise InvalidTable(self.source, found)
        for fault in sorted(found):
            faults[fault.row].append(fault)
        return parsed.set_axis(numbers), dict(faults)

    def keys(self, parsed: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of a part that `again` looks at."""
        return parsed[list(self._seen)].copy()

    def again(
        self, keys: pd.DataFrame, faults: Mapping[int, list[Fault]]
    ) -> dict[int, list[Fault]]:
        """Return the faults of a part, with those of values that an earlier part has.

        Parts must come in their order.

        Parameters
        ----------
        keys : result of `keys`
        faults : second result of `part`
        """
        all_faults = {row: list(found) for row, found in faults.items()}
        for name, seen in self._seen.items():
            values = keys[name]
            for row, value in values[seen.again(values)].items():
                found = all_faults.setdefault(int(row), [])
                if name not in {fault.column for fault in found}:
                    found.append(repeated_value(int(row), name, value))
        return all_faults


class Seen:
    """Values of earlier batches: numbers, and 64-bit hashes of texts.

    They are kept in sorted runs, each longer than all later ones.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def again(self, values: pd.Series) -> np.ndarray:
        """Mark the values that were in an earlier call, (n,) bool, and remember all of them."""
        given = values.notna().to_numpy()
        if pd.api.types.is_numeric_dtype(values):
            keys = values.to_numpy("float64")  # the same number in any type
        else:
            keys = pd.util.hash_pandas_object(values, index=False).to_numpy()
        found = np.zeros(len(values), dtype="bool")
        if not given.any():
            return found
        new = np.unique(keys[given])
        for run in self._runs:
            if run[0] <= new[-1] and new[0] <= run[-1]:  # ids that count up are in no earlier run
                places = np.minimum(np.searchsorted(run, keys), len(run) - 1)
                found |= run[places] == keys
        self._add(new)
        return found & given

    def _add(self, run: np.ndarray) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)
