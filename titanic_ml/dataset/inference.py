"""Properties of a table's columns, inferred from its values, as a first draft of a dataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow
from pyarrow import compute

from titanic_ml.dataset.normalise import iso_date, text
from titanic_ml.dataset.parsing import parsed_column
from titanic_ml.dataset.spec import DIGITS, TRUTH, Column

MIN_ROWS = 10  # of a word, so that all words are listed as allowed
MOST_ALLOWED = 50
USUAL = 0.5  # share of rows with frequent words from which on a text is a category
MOST_ODD = 3  # distinct words beside numbers that may stand for a missing value
# Words for a missing value beside numbers; beside words, only the first do not count as words.
USUAL_MISSING = ("na", "n/a", "#n/a", "<na>", "nan", "nat", "null", r"\n")
OTHER_MISSING = ("none", "?", "-", "--", ".", "unknown", "missing", "not known")
SENTINELS = (-9999, -999, -99, -9, -1, 99, 999, 9999, 99999)
REPEATED = (0.05, 0.98)  # distinct values by rows of ids that come several times
WHOLE = r"^[+-]?(0|[1-9]\d*)(\.0+)?$"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
ZEROS = r"^[+-]?0\d"  # a word such as a postcode
DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$"
KEY_NAMES = ("id", "key", "uuid")  # of ids that may come several times
ID_NAMES = (*KEY_NAMES, "number", "no", "nr", "rownames", "index")


@dataclass(frozen=True)
class InferredColumn:
    """Properties of a column for the dataset's YAML, with what was seen.

    Attributes
    ----------
    name
        Normalised name.
    properties
        Properties of a `Column`, as in the YAML.
    values
        Typed values, (n,).
    faults
        Number of values that the properties don't allow.
    notes
        Remarks for people.
    """

    name: str
    properties: dict[str, Any]
    values: pd.Series
    faults: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Kind of the column."""
        return str(self.properties["kind"])

    @property
    def ignored(self) -> bool:
        """Whether the column is not read."""
        return bool(self.properties.get("ignore"))

    @cached_property
    def missing(self) -> int:
        """Number of missing values."""
        return int(self.values.isna().sum())

    @cached_property
    def counts(self) -> pd.Series:
        """Number of rows by value, the most frequent first."""
        return self.values.value_counts()

    @property
    def is_unique(self) -> bool:
        """Whether no value is missing, and none stands twice."""
        return not self.missing and len(self.counts) == len(self.values)

    def is_named(self, names: Sequence[str]) -> bool:
        """Return whether the last word of the name is one of these, as in customer_id or rowId."""
        words = re.sub(r"([a-z])([A-Z])", r"\1_\2", self.name)
        return re.split(r"[\W_]+", words.lower())[-1] in names

    @property
    def looks_like_id(self) -> bool:
        """Whether values are unique, and the name says that they identify a row."""
        named = self.kind in ("integer", "text", "category") and self.is_named(ID_NAMES)
        return named and self.is_unique

    @property
    def summary(self) -> str:
        """Content of the column in a few words."""
        parts = []
        if self.missing:
            parts.append(f"{self.missing:,} missing ({self.missing / len(self.values):.1%})")
        known = self.values.dropna()
        if known.empty:
            return "all values missing"
        if self.kind in ("integer", "number", "date"):
            shown = iso_date if self.kind == "date" else "{:.6g}".format
            low, middle, high = (shown(value) for value in known.quantile([0, 0.5, 1]))
            parts.append(f"{low} to {high}, median {middle}")
        else:
            if len(self.counts) == len(known):
                return "; ".join([*parts, f"{len(known):,} different values", *self.notes])
            commonest = [f"{str(w)[:30]} {n:,}" for w, n in self.counts.head(5).items()]
            more = f", {len(self.counts) - 5:,} more" * (len(self.counts) > 5)
            parts.append(", ".join(commonest) + more)
        if self.faults:
            parts.append(f"{self.faults:,} values of another kind, which are refused")
        return "; ".join([*parts, *self.notes])

    @property
    def typical(self) -> Any:
        """A typical value, as a request gives it; None without any."""
        known = self.values.dropna()
        if known.empty:
            return None
        if self.kind in ("integer", "number", "date"):
            middle = float(known.quantile(0.5, interpolation="nearest"))
            if self.kind == "date":
                return iso_date(middle)
            return int(middle) if self.kind == "integer" else middle
        word = self.counts.index[0]
        return word == TRUTH[1] if self.kind == "bool" else word


def infer_column(name: str, values: pd.Series) -> InferredColumn:
    """Infer the properties of a column.

    Integers are never categories, words with leading zeros stay words, and nothing seen becomes a
    limit: a later table may have more.

    Parameters
    ----------
    name
        Name of the column.
    values
        Its values as they were read, (n,).

    Returns
    -------
    InferredColumn
        Properties and typed values.
    """
    properties, notes = _inferred(values)
    column = Column.from_dict(f"dataset.columns.{name}", {**properties, "nullable": True})
    parsed, bad = parsed_column(values, column)
    found = InferredColumn(name, properties, parsed, int(bad.sum()), notes)
    if found.kind == "category":
        found = _as_category(found)
    if found.kind == "text":
        return _ignored(found, "free text, which no feature is made of")
    if not len(found.counts):
        return _ignored(found, "no value")
    if found.kind == "integer":
        notes += _integer_notes(found)
    return found


def _inferred(values: pd.Series) -> tuple[dict[str, Any], list[str]]:
    """Return kind, missing words and suffix of a column, with notes."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "boolean":
        return {"kind": "bool"}, []
    if kind in ("date", "datetime", "datetime64"):
        return {"kind": "date"}, []
    if kind in ("integer", "mixed-integer-float", "floating", "decimal"):
        whole = kind == "integer"
        large = whole and values.dropna().astype("float64").abs().max() >= 10**DIGITS
        return {"kind": "text" if large else "integer" if whole else "number"}, []
    known = values.dropna()
    texts = pyarrow.array(known.astype("str"), "string")
    texts = compute.utf8_trim_whitespace(texts.combine_chunks() if _chunked(texts) else texts)
    return _of_texts(texts.filter(compute.not_equal(texts, "")))


def _chunked(texts: Any) -> bool:
    return isinstance(texts, pyarrow.ChunkedArray)


def _of_texts(texts: pyarrow.Array) -> tuple[dict[str, Any], list[str]]:
    lower = compute.utf8_lower(texts)
    usual = compute.is_in(lower, pyarrow.array(USUAL_MISSING))
    known = texts.filter(compute.invert(usual))
    if not len(known):
        return {"kind": "text"}, []
    if _all(compute.is_in(compute.utf8_lower(known), pyarrow.array(TRUTH))):
        return {"kind": "bool"}, []
    if _all(compute.match_substring_regex(known, DATE)):
        return {"kind": "date"}, []
    stripped = compute.utf8_rtrim_whitespace(compute.utf8_rtrim(known, "%"))
    numbers = _is_number(stripped)
    odd = compute.unique(compute.utf8_lower(known.filter(compute.invert(numbers)))).to_pylist()
    words = [word for word in odd if word not in OTHER_MISSING]
    if words or len(odd) > MOST_ODD or len(odd) and not compute.any(numbers).as_py():
        return _of_words(lower)
    numeric = known.filter(numbers)
    kind = "integer" if _all(compute.match_substring_regex(numeric, WHOLE)) else "number"
    properties: dict[str, Any] = {"kind": kind}
    if compute.any(compute.ends_with(numeric, "%")).as_py():
        properties |= {"kind": "number", "suffix": "%"}
    elif kind == "integer" and _longest(numeric) > DIGITS:
        return {"kind": "text"}, []
    if any(word != "none" for word in odd):
        properties["missing"] = [*sorted(odd), *USUAL_MISSING]
    return properties, []


def _of_words(lower: pyarrow.Array) -> tuple[dict[str, Any], list[str]]:
    """Return the properties of words; "none" is one of them, the usual ones are missing values."""
    found = set(compute.unique(lower).to_pylist())
    properties: dict[str, Any] = {"kind": "category"}
    if "none" in found:
        return properties | {"missing": list(USUAL_MISSING)}, ['"none" is a word of its own']
    if "?" in found:
        return properties | {"missing": ["?", "none", *USUAL_MISSING]}, ['"?" is a missing value']
    return properties, []


def _is_number(texts: pyarrow.Array) -> pyarrow.Array:
    number = compute.match_substring_regex(texts, NUMBER)
    return compute.and_not(number, compute.match_substring_regex(texts, ZEROS))


def _longest(texts: pyarrow.Array) -> int:
    return int(compute.max(compute.utf8_length(texts)).as_py() or 0)


def _all(mask: pyarrow.Array) -> bool:
    return bool(compute.all(mask).as_py())


def _as_category(found: InferredColumn) -> InferredColumn:
    """Return a column of words as a category with its allowed words, or as a free text."""
    counts, properties = found.counts, dict(found.properties)
    if not len(counts):
        return found
    if counts[counts >= MIN_ROWS].sum() < USUAL * counts.sum():
        return InferredColumn(found.name, {"kind": "text"}, found.values, 0, found.notes)
    values, lower = found.values, counts.index.str.lower()
    if lower.has_duplicates:  # the same words in capitals and in small letters
        values = values.str.lower()
        properties["case"] = "lower"
    found = InferredColumn(found.name, properties, values, found.faults, found.notes)
    if len(found.counts) <= MOST_ALLOWED and found.counts.min() >= MIN_ROWS:
        properties["allowed"] = sorted(found.counts.index)
        properties.pop("case", None)
    return found


def _ignored(found: InferredColumn, why: str) -> InferredColumn:
    properties = {"kind": "text", "ignore": True}
    return InferredColumn(found.name, properties, found.values, 0, [*found.notes, why])


def _integer_notes(found: InferredColumn) -> list[str]:
    notes = []
    counts = found.counts
    ends = {found.values.min(), found.values.max()}
    for value in SENTINELS:
        share = counts.get(value, 0) / len(found.values)
        if value in ends and share >= 0.01:
            notes.append(f'does {value} stand for a missing value? then missing: ["{value}"]')
    if 2 < len(counts) <= 12:
        notes.append("if these are codes, not amounts: kind: category")
    return notes


def normalised_names(names: Sequence[object]) -> list[str]:
    """Return the names of columns as a dataset has them."""
    return [text(str(name)) or str(name) for name in names]


def repeats(column: InferredColumn) -> bool:
    """Return whether a column may say which rows belong together: ids that come several times."""
    share = len(column.counts) / max(len(column.values), 1)
    few, many = REPEATED
    named = column.kind in ("integer", "text", "category") and column.is_named(KEY_NAMES)
    return named and few < share < many
