"""The check of a table that comes in parts: the same faults as of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.dataset.validation import check, doubled
from titanic_ml.errors import Fault, InvalidTable


class StreamValidator:
    """Checks the rows of a table part by part, without its target.

    Of the rows gone by it keeps eight bytes for each value of a column that must be unique, by
    which it knows one that comes again in a later part.

    Parameters
    ----------
    spec
        What the columns may hold.
    source
        What to call the table in a message.
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
        self, frame: pd.DataFrame, numbers: np.ndarray
    ) -> tuple[pd.DataFrame, dict[int, list[Fault]]]:
        """The typed columns of some rows, and the faults of each that has any, by its number.

        It looks at nothing but these rows, so parts may be checked at the same time.

        Parameters
        ----------
        frame
            The rows.
        numbers
            The number of each row in the table, (n,).

        Raises
        ------
        InvalidTable
            The columns are at fault, so that no row can be read.
        """
        parsed, found = check(frame, self.spec, with_target=False)
        found = [replace(f, row=int(numbers[f.row - 1])) if f.row else f for f in found]
        if not all(fault.row for fault in found):
            raise InvalidTable(self.source, found)
        faults = defaultdict(list)
        for fault in sorted(found):
            faults[fault.row].append(fault)
        return parsed, dict(faults)

    def keys(self, parsed: pd.DataFrame) -> pd.DataFrame:
        """The columns of a part that `again` looks at."""
        return parsed[list(self._seen)].copy()

    def again(
        self, keys: pd.DataFrame, numbers: np.ndarray, faults: Mapping[int, list[Fault]]
    ) -> dict[int, list[Fault]]:
        """The faults of a part with those added of rows that have a value of an earlier part.

        Parts come in their order.

        Parameters
        ----------
        keys, faults
            What `keys` and `part` said of these rows.
        numbers
            As there.
        """
        all_faults = {row: list(found) for row, found in faults.items()}
        for name, seen in self._seen.items():
            for place in seen.again(keys[name]).nonzero()[0]:
                row = int(numbers[place])
                found = all_faults.setdefault(row, [])
                if name not in {fault.column for fault in found}:
                    found.append(doubled(row, name, keys[name].iloc[place]))
        return all_faults


class Seen:
    """The values gone by, numbers as they are and texts as hashes of 64 bits, in sorted runs of
    which each is longer than all after it.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def again(self, values: pd.Series) -> np.ndarray:
        """Which values were in an earlier call, (n,) bool; from now on all of them were."""
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
