"""Draft the dataset of a new table: kinds, target, id, baseline and suspected leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.config.layers import CONFIG_DIR, WORKING_DIR, groups
from titanic_ml.dataset.draft import Draft
from titanic_ml.dataset.inference import InferredColumn, infer_column, normalised_names, repeats
from titanic_ml.dataset.spec import RESERVED, ROW
from titanic_ml.errors import DataError, SettingsError, UnwritableTable, nearest
from titanic_ml.evaluation.leaks import FOLDS, explained_by, leak_folds
from titanic_ml.results import NewDataset
from titanic_ml.storage.files import whole_file
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import open_table

SAMPLE = 100_000  # rows that are looked at; of a larger table, every second, fourth, … one
LEAK = 0.8  # share of the log loss that a column explains alone, from which on it is a suspect
SORTED = 0.2  # the same for an id and for the order of the rows
MOST_VALUES = 10  # of a target, in a message


@dataclass(frozen=True, kw_only=True)
class DatasetDrafter:
    """Writes the YAML of a dataset for a table.

    Attributes
    ----------
    table
        Address of the table, with its target.
    target
        Name of the target.
    positive
        The value to predict; by default the rarer one.
    id
        Name of the id; by default a unique column that is named like one, else none.
    name
        Name of the dataset; by default that of the file.
    config_dir
        Folder of settings; by default ``conf`` of the working folder.
    force
        Whether to replace an existing file.
    """

    table: str
    target: str
    positive: str | None = None
    id: str | None = None
    name: str | None = None
    config_dir: str | Path | None = None
    force: bool = False

    def run(self) -> NewDataset:
        """Infer the dataset and write its file.

        Raises
        ------
        DataError
            The table can't be read, or has no such column, too few rows or values of the target.
        SettingsError
            The name is malformed, taken, or that of a dataset of the package.
        """
        name = self._name()
        path = Path(self.config_dir or WORKING_DIR) / "dataset" / f"{name}.yaml"
        if path.exists() and not self.force:
            raise SettingsError(f"{path} exists; --force replaces it, --name NAME makes another")
        frame, rows = sampled(self.table)
        columns = [infer_column(n, frame[n]) for n in frame]
        draft = self._draft(name, columns, len(frame), rows)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(draft.to_yaml().encode())
        except OSError as error:
            raise UnwritableTable(f"{path}: can't be written: {error.strerror}") from error
        kinds = {
            column.name: ("ignored" if column.ignored else column.kind, column.summary)
            for column in columns
        }
        warnings = [*draft.suspects.values()]
        value, why = draft.positive
        positive = f"{self.target} {value} is predicted: {why.partition(';')[0]}"
        table = shown(self.table)
        return NewDataset(name, str(path), table, len(frame), rows, positive, kinds, warnings)

    def _draft(self, name: str, columns: list[InferredColumn], seen: int, rows: int) -> Draft:
        by_name = {column.name: column for column in columns}
        for role, wanted in (("target", self.target), ("id", self.id)):
            if wanted is not None and wanted not in by_name:
                raise DataError(
                    f"{shown(self.table)} has no column {wanted} for --{role}"
                    f"{nearest(wanted, list(by_name))}"
                )
        target = by_name[self.target] = _as_target(by_name[self.target], shown(self.table))
        positive = self._positive(target)
        if self.id is not None and not by_name[self.id].is_unique:
            raise DataError(f"{self.id} is missing or repeated in some rows, so it is no id")
        id = self.id or _guessed_id(columns, self.target)
        by_name = {n: _with_role(column, id, self.target) for n, column in by_name.items()}
        columns[:] = list(by_name.values())
        groups = [n for n, c in by_name.items() if n not in (id, self.target) and repeats(c)]
        known = target.values.notna().to_numpy()
        y = (target.values == positive[0]).to_numpy()[known].astype("int64")
        if min(y.sum(), len(y) - y.sum()) < FOLDS:
            raise DataError(f"{self.target} has fewer than {FOLDS} rows of a class")
        baseline, suspects = _baseline_and_suspects(by_name, id, self.target, known, y)
        if missing := int((~known).sum()):
            note = f"{missing:,} rows have no {self.target}: training and evaluation leave them out"
            suspects = {self.target: note, **suspects}
        address = self.table if shown(self.table) == self.table else None
        sample = f"a sample of {seen:,} of " if seen < rows else ""
        about = f"{sample}{rows:,} rows of {shown(self.table)}"
        return Draft(
            *(name, address, about, id, self.target, positive, columns),
            *(baseline, suspects, groups),
        )

    def _name(self) -> str:
        stem = Path(self.table.partition("?")[0]).name.partition(".")[0]
        name = self.name or re.sub(r"\W+", "_", stem.lower()).strip("_")
        if not re.fullmatch(r"[\w-]+", name, re.ASCII):
            raise SettingsError(f"{name or 'the name'!r}: name the dataset in letters: --name NAME")
        if name in groups(CONFIG_DIR)["dataset"]:
            raise SettingsError(f"{name} is a dataset of the package; choose another: --name NAME")
        return name

    def _positive(self, target: InferredColumn) -> tuple[Any, str]:
        """Return the value to predict, and why it is that one. Raises `DataError`."""
        counts, rows = target.counts, target.counts.sum()
        values = {str(value).lower(): value for value in counts.index}
        named = ", ".join(f"{v} ({n:,} rows)" for v, n in counts.head(MOST_VALUES).items())
        more = f" and {len(counts) - MOST_VALUES:,} more" * (len(counts) > MOST_VALUES)
        if len(counts) < 2:
            raise DataError(f"{self.target} has {named or 'no values'}, expected two values")
        if self.positive is not None:
            if self.positive.lower() not in values:
                raise DataError(f"{self.target} has no {self.positive}, but {named}{more}")
            value, why = values[self.positive.lower()], "as named"
        elif len(counts) > 2:
            raise DataError(
                f"{self.target} has {len(counts):,} values: {named}{more}; the package predicts "
                "one of two, so name the one to set against the rest: --positive VALUE"
            )
        else:
            value, why = counts.index[-1], "the rarer value"
        value = value.item() if isinstance(value, np.generic) else value
        share = f"{counts[value]:,} of {rows:,} rows ({counts[value] / rows:.1%})"
        return value, f"{share}, {why}; class 1 of metrics and reports"


def sampled(table: str, most: int = SAMPLE) -> tuple[pd.DataFrame, int]:
    """Return rows of a table at equal distances, at most `most`, and the number of all rows.

    Raises as `open_table`.
    """
    with open_table(table) as source:
        kept, stride, first = [], 1, 0
        for batch in source.batches():
            kept.append(batch.frame.iloc[-first % stride :: stride])
            first += len(batch.frame)
            while sum(map(len, kept)) > most:
                stride *= 2
                kept = [pd.concat(kept, ignore_index=True).iloc[::2]]
        frame = pd.concat(kept, ignore_index=True) if kept else source.frame()
    if not len(frame):
        raise DataError(f"{shown(table)} has no rows")
    names = normalised_names(frame.columns)
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(f"{shown(table)} has {', '.join(sorted(twice))} twice; rename one column")
    return frame.set_axis(names, axis=1), first


def _as_target(column: InferredColumn, source: str) -> InferredColumn:
    """Return a target with its allowed values: whole numbers 0 and 1, a truth value, or words."""
    values, kind = column.values, column.kind
    if kind == "bool":
        return column
    if kind in ("date", "number") and len(column.counts) > MOST_VALUES:
        raise DataError(
            f"{source}, column {column.name}: {len(column.counts):,} different values, expected a "
            "target with two"
        )
    if kind in ("integer", "number") and len(column.counts) == 2:
        allowed = sorted(int(v) if float(v).is_integer() else float(v) for v in column.counts.index)
        kind = "integer" if all(isinstance(v, int) for v in allowed) else "number"
        return InferredColumn(column.name, {"kind": kind, "allowed": allowed}, values)
    if kind in ("integer", "number"):
        values = values.map(lambda v: f"{v:.15g}", na_action="ignore").astype("str")
    words = sorted(map(str, values.dropna().unique()))
    if len(words) > 10 * MOST_VALUES:
        raise DataError(f"{source}, column {column.name}: {len(words):,} words, expected two")
    return InferredColumn(column.name, {"kind": "category", "allowed": words}, values)


def _with_role(column: InferredColumn, id: str | None, target: str) -> InferredColumn:
    """Return a column as the draft has it: the id is read, a reserved name is not."""
    if column.name == id:
        kind = column.kind if column.kind in ("integer", "text") else "text"
        kind = "integer" if kind == "integer" else "text"
        return InferredColumn(column.name, {"kind": kind}, column.values)
    if column.name == target:
        return column
    reserved = column.name in RESERVED or (column.name == ROW and id is None)
    why = "a name of the package's own columns" if reserved else ""
    if column.name.startswith("Unnamed:"):
        why = "an index that was written as a column"
    elif column.looks_like_id:
        why = why or "an id"
    elif repeats(column):
        why = why or "ids that come several times"
    if not why:
        return column
    properties = {**column.properties, "ignore": True}
    return InferredColumn(column.name, properties, column.values, 0, [*column.notes, why])


def _guessed_id(columns: list[InferredColumn], target: str) -> str | None:
    """Return the first unique column that is named like an id."""
    for column in columns:
        if column.name not in (*RESERVED, target) and column.looks_like_id:
            return column.name
    return None


def _baseline_and_suspects(
    columns: dict[str, InferredColumn],
    id: str | None,
    target: str,
    known: np.ndarray,
    y: np.ndarray,
) -> tuple[str | None, dict[str, str]]:
    """Return the best single column that is no suspect, and questions on the suspects."""
    suspects, best, baseline, folds = {}, -np.inf, None, leak_folds(y)
    for place, why in _orders(columns, id, known):
        if (share := explained_by(place, y, folds)) >= SORTED:
            suspects[id or target] = (
                f"LEAK? {why} explains {share:.0%} of the log loss: is the table sorted by "
                f"{target}? Then no model may use the order"
            )
            break
    for name, column in columns.items():
        if name in (id, target) or column.ignored:
            continue
        values = column.values[known].reset_index(drop=True)
        share, what = explained_by(values, y, folds), "alone explains"
        if column.missing:
            gaps = explained_by(values.isna().astype("float64"), y, folds)
            share, what = max((share, what), (gaps, "being missing or not explains"))
        if share >= LEAK:
            suspects[name] = (
                f"LEAK? {name} {what} {share:.0%} of the log loss: is it known before {target} is? "
                "If not, set ignore: true"
            )
        elif share > best:
            best, baseline = share, name
    return baseline, suspects


def _orders(
    columns: dict[str, InferredColumn], id: str | None, known: np.ndarray
) -> Iterator[tuple[pd.Series, str]]:
    """Yield the order of the rows and the id, as numbers."""
    yield pd.Series(np.flatnonzero(known).astype("float64")), "the order of the rows"
    if id is not None and columns[id].kind == "integer":
        yield columns[id].values[known].reset_index(drop=True), f"the id {id}"
