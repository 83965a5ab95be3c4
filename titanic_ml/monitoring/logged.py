"""Rows that were answered some time: those of a prediction log, or of any table."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from titanic_ml.dataset.columns import check
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import DataError, InvalidTable, SettingsError
from titanic_ml.monitoring.log import ANSWER, spec_of_log
from titanic_ml.storage.address import RUN_ID

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


MOST_SPANS = 48
MOST_ROWS = 500_000  # that are looked at


@dataclass(frozen=True)
class Volume:
    """How many rows were answered in an hour or a day that begins then, and how many of them 1."""

    span: str
    time: str
    rows: int
    positives: int


@dataclass(frozen=True)
class Logged:
    """The typed columns of some rows, with what was answered where that is known.

    Attributes
    ----------
    ids
        The id of each row; one may come again.
    X
        Columns that a model learns from.
    answers
        `probability`, `model_version` and, where the table has them, the class and the time of
        each row; None if the table is no log.
    positive
        Which rows were predicted positive, (n,) bool; None if that is unknown.
    right
        Which rows have no fault, (n,) bool. The others are looked at all the same, for a fault may
        be the drift.
    answerable
        The typed columns of those without a fault.
    """

    ids: pd.Series
    X: pd.DataFrame
    answers: pd.DataFrame | None
    positive: pd.Series | None
    right: np.ndarray
    answerable: pd.DataFrame

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: DatasetSpec, source: str) -> Logged:
        """Read the rows of a table.

        Parameters
        ----------
        frame
            The table as it was read.
        spec
            Specification of its columns.
        source
            Name of the table in messages.

        Returns
        -------
        Logged
            The valid rows with their predictions, and the number of invalid ones.

        Raises
        ------
        InvalidTable
            The table has other columns.
        """
        is_log = {"probability", "model_version"} <= set(frame.columns)
        frame = frame.reset_index(drop=True)
        kept = [name for name in (spec.target, *ANSWER) if name in frame]
        answers = frame[kept].astype({"probability": "float64"}) if is_log else None
        own = [name for name in (*ANSWER, RUN_ID) if name in frame and name not in spec.columns]
        facts, loose = frame.drop(columns=own), spec_of_log(spec)
        parsed, faults = check(facts, loose, with_target=False)
        if of_columns := [fault for fault in faults if not fault.row]:
            raise InvalidTable(source, of_columns)
        right, answerable = np.ones(len(frame), dtype="bool"), parsed
        if faults:  # without the bad rows types may differ
            right[[fault.row - 1 for fault in faults]] = False
            answerable = parsed[right]
            if right.any():
                answerable, _ = check(facts[right], loose, with_target=False)
        X, good = parsed[spec.inputs], answerable[spec.inputs]
        positive = None if answers is None else _positive(answers, spec)
        return cls(parsed[spec.id], X, answers, positive, right, good)

    @property
    def invalid(self) -> int:
        """How many rows have a fault."""
        return int((~self.right).sum())

    @property
    def dataset(self) -> Dataset:
        """Return the rows as a data set without a target."""
        return Dataset(self.ids, self.X, None)

    def volume(self) -> list[Volume]:
        """Count predictions by day, or by hour if all are within three days.

        At most the last `MOST_SPANS` non-empty spans; none without the columns of a log.
        """
        if self.answers is None or self.positive is None or self.answers.empty:
            return []
        if "predicted_at" not in self.answers:
            return []
        times = pd.to_datetime(self.answers["predicted_at"], utc=True)
        span = "hour" if times.max() - times.min() <= timedelta(days=3) else "day"
        named = times.dt.strftime("%Y-%m-%d %H:00" if span == "hour" else "%Y-%m-%d")
        classes = self.positive.groupby(named)
        counts = pd.DataFrame({"rows": classes.size(), "positives": classes.sum()}).sort_index()
        return [
            Volume(span, str(time), int(row["rows"]), int(row["positives"]))
            for time, row in counts.tail(MOST_SPANS).iterrows()
        ]

    def probability_by(self, version: str) -> np.ndarray | None:
        """Return the probabilities of a version, NaN for rows of others; None if unknown."""
        if self.answers is None:
            return None
        own = self.answers["model_version"].eq(version)
        return self.answers["probability"].where(own).to_numpy("float64")


def newest(
    frames: Iterable[pd.DataFrame],
    source: str,
    since: datetime | None = None,
    most: int = MOST_ROWS,
) -> pd.DataFrame:
    """Return the last rows of a table that comes in parts, the oldest part first.

    Parameters
    ----------
    frames
        The parts.
    source
        Name of the table in messages.
    since
        Leave out earlier predictions.
    most
        Largest number of rows that are kept.

    Returns
    -------
    DataFrame
        The last rows, at most `most`.

    Raises
    ------
    DataError
        `since` is given, and the table has no time of prediction.
    """
    kept: deque[pd.DataFrame] = deque()
    rows = 0
    for frame in frames:
        if since is not None:
            if "predicted_at" not in frame:
                raise DataError(f"{source}: has no column predicted_at, expected one for --since")
            times = pd.to_datetime(frame["predicted_at"], utc=True)
            frame = frame[(times >= pd.Timestamp(since)).to_numpy()]
        kept.append(frame)
        rows += len(frame)
        while rows - len(kept[0]) >= most:
            rows -= len(kept.popleft())
    return pd.concat(kept, ignore_index=True).tail(most) if kept else pd.DataFrame()


def truths(frame: pd.DataFrame, spec: DatasetSpec, source: str) -> Mapping[object, int]:
    """Return the target by id, from a table that has both.

    Raises
    ------
    InvalidTable
        The two columns have faults; it lists all of them.
    """
    both = {name: spec.columns[name] for name in (spec.id, spec.target)}
    given = frame[[name for name in both if name in frame]]
    parsed, faults = check(given, replace(spec, columns=both), with_target=True)
    if faults:
        raise InvalidTable(source, faults)
    outcomes = spec.is_positive(parsed[spec.target])
    return dict(zip(parsed[spec.id].tolist(), outcomes.tolist(), strict=True))


def _positive(answers: pd.DataFrame, spec: DatasetSpec) -> pd.Series | None:
    """Return which logged predictions are positive, None if the log has no predictions."""
    if spec.target not in answers:
        return None
    column = spec.columns[spec.target]
    values = answers[spec.target]
    found = {value: column.read(value) == spec.positive for value in values.dropna().unique()}
    return values.map(found).fillna(False).astype("bool")


def moment(given: str, now: datetime | None = None) -> datetime:
    """Parse a time, or an age before now.

    >>> moment("36h", datetime(2026, 11, 26, 12, tzinfo=UTC)).isoformat()
    '2026-11-25T00:00:00+00:00'
    >>> moment("2026-11-01").isoformat()
    '2026-11-01T00:00:00+00:00'

    Raises
    ------
    SettingsError
        It is neither.
    """
    if found := re.fullmatch(r"(\d{1,6})([mhdw])", given.strip()):
        ago = timedelta(**{UNITS[found[2]]: int(found[1])})
        return (now or datetime.now(UTC)) - ago
    try:
        time = datetime.fromisoformat(given.strip())
    except ValueError as error:
        raise SettingsError(
            f"since {given!r}: expected a time such as 2026-11-01 or 2026-11-01T12:00, in UTC if "
            "it says nothing else, or how long ago, such as 90m, 24h, 7d or 2w"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
