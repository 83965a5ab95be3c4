"""One spelling for what means the same: functions of one value.

Whatever a row is compared or keyed by goes through here first, so that a space, a capital letter, a
spreadsheet's ``.0`` or the noise in the last digits of a number changes no prediction.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Set
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import numpy as np

Case = Literal["keep", "upper", "lower"]
MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", r"\n"})
ALIKE = str.maketrans({mark: "'" for mark in "‘’ʼ´`"} | {dash: "-" for dash in "‐‑‒–—−"})
CONTROL = dict.fromkeys([*range(9), *range(14, 28), 127])  # of ASCII, less what is a space
MARKS = re.compile(r" (?=[,.;:/)])|(?<=[/(]) ")  # spaces that say nothing beside these
WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)
EPOCH = date(1970, 1, 1)
LARGEST_EXPONENT = 22  # of a power of ten that float64 holds exactly
POWERS = [float(f"1e{exponent}") for exponent in range(-LARGEST_EXPONENT, 40)]
POWERS_ARRAY = np.array(POWERS)
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def text(value: str, case: Case = "keep", missing: Set[str] = MISSING) -> str | None:
    """Normalise a text; None if it is a word for a missing value, `missing` in lower case.

    Spaces of every kind are one space, and none at the ends, before a comma or another mark, and
    around a slash; invisible characters are left out, typographic apostrophes and dashes are the
    ASCII ones (Unicode's form NFKC does the rest), and a whole number has no ``.0``.

    >>> text(" Pc\\u00a0 17599 ", "upper"), text("330911.0"), text("O’Brien , Mr"), text("N/A")
    ('PC 17599', '330911', "O'Brien, Mr", None)
    """
    found = value if value.isprintable() else value.translate(CONTROL)
    if not value.isascii():
        found = unicodedata.normalize("NFKC", found).translate(ALIKE)
        found = "".join(c for c in found if unicodedata.category(c) != "Cf")
    found = MARKS.sub("", " ".join(found.split()))
    if found.lower() in missing:
        return None
    if found.endswith("0") and (whole := WHOLE.fullmatch(found)):
        found = whole[1]
    return found if case == "keep" else found.upper() if case == "upper" else found.lower()


def text_of(value: Any, case: Case = "keep", missing: Set[str] = MISSING) -> str | None:
    """Return the text of a value of a text column: of a text, or of a whole number.

    Raises
    ------
    ValueError
        It is something else: a list, a date, a fraction, true or false.
    """
    if isinstance(value, str):
        return text(value, case, missing)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    raise ValueError


def number_of(value: Any, missing: Set[str] = MISSING) -> float | None:
    """Return the number of a value of a numeric column, None if the value means "missing".

    Raises
    ------
    ValueError
        It is no number: a date, a duration, a complex number, true or false, another text.

    >>> number_of(" 7.25 "), number_of("NaN"), number_of(3)
    (7.25, None, 3.0)
    """
    if isinstance(value, str):
        found = text(value, missing=missing)
        if found is None:
            return None
        if not NUMBER.fullmatch(found):
            raise ValueError
        return float(found)
    if isinstance(value, (int, float, np.integer, np.floating, Decimal)):
        if not isinstance(value, bool):
            return float(value)
    raise ValueError


def days_of(value: Any, missing: Set[str] = MISSING) -> float | None:
    """Return the days from 1970-01-01 to a date, None if the value means "missing".

    The time of the day is left out; a time with a zone is converted to UTC first.

    Raises
    ------
    ValueError
        It is no date in ISO 8601: a number, another text.

    >>> days_of("1970-02-01"), days_of(datetime(1969, 12, 31, 23, 59)), days_of("")
    (31.0, -1.0, None)
    """
    if isinstance(value, str):
        found = text(value, missing=missing)
        if found is None:
            return None
        value = datetime.fromisoformat(found)
    elif isinstance(value, np.datetime64):
        value = value.astype("datetime64[s]").item()
    if isinstance(value, datetime):
        value = (value if value.tzinfo is None else value.astimezone(UTC)).date()
    if not isinstance(value, date):
        raise ValueError
    return float((value - EPOCH).days)


def iso_date(days: float) -> str:
    """Return the date that is this number of days after 1970-01-01.

    >>> iso_date(31.0)
    '1970-02-01'
    """
    return date.fromordinal(EPOCH.toordinal() + int(days)).isoformat()


def rounded(numbers: np.ndarray, decimals: int) -> np.ndarray:
    """Round numbers to their significant decimals; -0 becomes 0.

    >>> rounded(np.array([np.float32(7.2292), 512.32920001]), 4).tolist()
    [7.2292, 512.3292]
    """
    with np.errstate(over="ignore"):  # what is too large for it is infinite, and no value
        return np.round(numbers, decimals) + 0.0


def significant(numbers: np.ndarray, digits: int) -> np.ndarray:
    """Round numbers to their significant digits; -0 becomes 0.

    Only numbers that powers of ten scale exactly are rounded: with 15 digits those from 1e-8 to
    1e37 in size.

    >>> significant(np.array([0.1 + 0.2, 1.5e-9, 123456789.5, -0.0]), 15).tolist()
    [0.3, 1.5e-09, 123456789.5, 0.0]
    """
    place = np.searchsorted(POWERS_ARRAY, np.abs(numbers), "right") - 1
    shift = digits - 1 - (place - LARGEST_EXPONENT)
    exact = np.abs(shift) <= LARGEST_EXPONENT
    shift = np.where(exact, shift, 0)
    up = POWERS_ARRAY[LARGEST_EXPONENT + np.maximum(shift, 0)]
    down = POWERS_ARRAY[LARGEST_EXPONENT - np.minimum(shift, 0)]
    return np.where(exact, np.rint(numbers * up / down) / up * down, numbers) + 0.0


def significant_of(number: float, digits: int) -> float:
    """Return the result of `significant` for one number.

    >>> significant_of(0.1 + 0.2, 15)
    0.3
    """
    up, down = _scales(digits)[bisect_right(POWERS, abs(number))]
    return round(number * up / down) / up * down + 0.0 if up else number + 0.0


@cache
def _scales(digits: int) -> list[tuple[float, float]]:
    """Return the factor and divisor of `significant` by place among the powers; zeros for none."""
    scales = []
    for place in range(len(POWERS) + 1):
        shift = digits - place + LARGEST_EXPONENT
        if abs(shift) > LARGEST_EXPONENT:
            scales.append((0.0, 0.0))
        else:
            up, down = max(shift, 0), min(shift, 0)
            scales.append((POWERS[LARGEST_EXPONENT + up], POWERS[LARGEST_EXPONENT - down]))
    return scales
