"""One spelling for what means the same: functions of one value.

Whatever a row is compared or keyed by goes through here first, so that a space, a capital letter, a
spreadsheet's ``.0`` or the noise in the last digits of a number changes no prediction.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any, Literal

import numpy as np

Case = Literal["keep", "upper", "lower"]
MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", r"\n"})
ALIKE = str.maketrans({mark: "'" for mark in "‘’ʼ´`"} | {dash: "-" for dash in "‐‑‒–—−"})
CONTROL = dict.fromkeys([*range(9), *range(14, 28), 127])  # of ASCII, less what is a space
MARKS = re.compile(r" (?=[,.;:/)])|(?<=[/(]) ")  # spaces that say nothing beside these
WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def text(value: str, case: Case = "keep") -> str | None:
    """Normalise a text; None if it is a word for a missing value.

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
    if found.lower() in MISSING:
        return None
    if found.endswith("0") and (whole := WHOLE.fullmatch(found)):
        found = whole[1]
    return found if case == "keep" else found.upper() if case == "upper" else found.lower()


def text_of(value: Any, case: Case = "keep") -> str | None:
    """Return the text of a value of a text column: of a text, or of a whole number.

    Raises
    ------
    ValueError
        It is something else: a list, a date, a fraction, true or false.
    """
    if isinstance(value, str):
        return text(value, case)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    raise ValueError


def number_of(value: Any) -> float | None:
    """Return the number of a value of a numeric column, None if the value means "missing".

    Raises
    ------
    ValueError
        It is no number: a date, a duration, a complex number, true or false, another text.

    >>> number_of(" 7.25 "), number_of("NaN"), number_of(3)
    (7.25, None, 3.0)
    """
    if isinstance(value, str):
        found = text(value)
        if found is None:
            return None
        if not NUMBER.fullmatch(found):
            raise ValueError
        return float(found)
    if isinstance(value, (int, float, np.integer, np.floating, Decimal)):
        if not isinstance(value, bool):
            return float(value)
    raise ValueError


def rounded(numbers: np.ndarray, decimals: int) -> np.ndarray:
    """Round numbers to their significant decimals; -0 becomes 0.

    >>> rounded(np.array([np.float32(7.2292), 512.32920001]), 4).tolist()
    [7.2292, 512.3292]
    """
    with np.errstate(over="ignore"):  # what is too large for it is infinite, and no value
        return np.round(numbers, decimals) + 0.0
