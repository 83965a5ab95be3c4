"""Tables as people have them: what means the same gets the same prediction, what means nothing is
refused by name, be it a frame, a CSV or a Parquet file.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import DataError

Change = Callable[[pd.DataFrame], pd.DataFrame]


def cells(column: str, change: Callable[[object], object]) -> Change:
    """Change every value of a column that isn't missing."""
    return lambda f: f.assign(**{column: f[column].astype(object).map(change, na_action="ignore")})


def dtype(column: str, kind: object) -> Change:
    return lambda f: f.assign(**{column: f[column].astype(kind)})


def first(column: str, value: object) -> Change:
    """Put a value in the first row."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).tolist()
        return frame.assign(**{column: pd.Series([value, *values[1:]], frame.index, dtype=object)})

    return change


def missing(column: str, word: object) -> Change:
    return lambda f: f.assign(**{column: f[column].astype(object).where(f[column].notna(), word)})


SAME = {
    "float32 fare": dtype("Fare", "float32"),
    "float32 age": dtype("Age", "float32"),
    "float32 everywhere": lambda f: f.astype(
        {name: "float32" for name in ("Pclass", "Age", "SibSp", "Parch", "Fare")}
    ),
    "fare off by a rounding error": lambda f: f.assign(Fare=f["Fare"] * (1 + 1e-12)),
    "fare as text": cells("Fare", repr),
    "fare with trailing zeros": cells("Fare", lambda v: f"{v:.8f}"),
    "fare in exact pence": lambda f: f.assign(Fare=(f["Fare"] * 240).round() / 240),
    "age as text": cells("Age", str),
    "age with spaces": cells("Age", lambda v: f" {v}\u00a0"),
    "class as float": dtype("Pclass", "float64"),
    "class as text": dtype("Pclass", "str"),
    "class as 1.0": cells("Pclass", lambda v: f"{v}.0"),
    "class as a category": dtype("Pclass", "category"),
    "integers that may be missing": dtype("SibSp", "Int64"),
    "small integers": dtype("Parch", "uint8"),
    "floats that may be missing": dtype("Age", "Float64"),
    "Arrow's floats": dtype("Age", "double[pyarrow]"),
    "Arrow's texts": dtype("Ticket", "string[pyarrow]"),
    "Arrow's own texts": dtype("Name", "string[pyarrow]"),
    "texts as objects": dtype("Name", object),
    "sex as a category": dtype("Sex", "category"),
    "port as a category": dtype("Embarked", "category"),
    "sex in capitals": cells("Sex", str.upper),
    "sex with a capital": cells("Sex", str.title),
    "sex with a space": cells("Sex", lambda v: f"{v} "),
    "port in small letters": cells("Embarked", str.lower),
    "port with a line break": cells("Embarked", lambda v: f"{v}\n"),
    "ticket with a space after it": cells("Ticket", lambda v: f"{v} "),
    "ticket with a space before it": cells("Ticket", lambda v: f" {v}"),
    "ticket with wide spaces": cells("Ticket", lambda v: v.replace(" ", "\u00a0 ")),
    "ticket with an invisible space": cells("Ticket", lambda v: f"\ufeff{v}\u200b"),
    "ticket in small letters": cells("Ticket", str.lower),
    "ticket as Excel has it": cells("Ticket", lambda v: f"{v}.0" if v.isdigit() else v),
    "ticket in full width": cells("Ticket", lambda v: v.replace("1", "１")),
    "name in capitals": cells("Name", str.upper),
    "name in small letters": cells("Name", str.lower),
    "name with spaces": cells("Name", lambda v: f"  {v.replace(' ', '  ')} "),
    "name with a space before the comma": cells("Name", lambda v: v.replace(",", " ,")),
    "name with a space before the dot": cells("Name", lambda v: v.replace(".", " .", 1)),
    "name with decomposed letters": cells("Name", lambda v: unicodedata.normalize("NFD", v)),
    "ticket with spaces around its slash": cells("Ticket", lambda v: v.replace("/", " / ")),
    "ticket with a control character": cells("Ticket", lambda v: f"\x07{v}\x7f"),
    "ticket partly as whole numbers": cells("Ticket", lambda v: int(v) if v.isdigit() else v),
    "fare as a decimal": cells("Fare", lambda v: Decimal(str(v))),
    "fare in scientific notation": cells("Fare", lambda v: f"{v:.10e}"),
    "siblings as a sparse column": dtype("SibSp", pd.SparseDtype("int64")),
    "a header with spaces": lambda f: f.rename(columns={"Age": " Age", "Fare": "Fare\u00a0"}),
    "missing cabin as a database has it": missing("Cabin", "\\N"),
    "name with a curly apostrophe": cells("Name", lambda v: v.replace("'", "’")),
    "cabin in small letters": cells("Cabin", str.lower),
    "cabin with spaces": cells("Cabin", lambda v: f" {v} "),
    "missing cabin as an empty text": missing("Cabin", ""),
    "missing cabin as a space": missing("Cabin", " "),
    "missing cabin as NA": missing("Cabin", "NA"),
    "missing cabin as nan": missing("Cabin", "nan"),
    "missing cabin as None": missing("Cabin", "None"),
    "missing age as NULL": missing("Age", "NULL"),
    "missing age as N/A": missing("Age", "n/a"),
    "missing port as #N/A": missing("Embarked", "#N/A"),
    "another order of columns": lambda f: f[sorted(f)],
    "with the target": lambda f: f.assign(Survived=0),
    "with a target of nonsense": lambda f: f.assign(Survived="perhaps"),
}

REFUSED = {
    "a cabin that is a dash": (first("Cabin", "-"), "row 1, column Cabin: found '-', expected a"),
    "an age that is a dash": (first("Age", "-"), "row 1, column Age: found '-', expected a number"),
    "a cabin without a deck": (first("Cabin", "85"), "row 1, column Cabin: found '85'"),
    "an empty name": (first("Name", ""), "row 1, column Name: found nothing, expected a text such"),
    "a name that is missing": (first("Name", None), "row 1, column Name: found nothing"),
    "a name without a title": (first("Name", "Ada Byron"), "row 1, column Name: found 'Ada Byron'"),
    "a name that is a number": (first("Name", 7), "row 1, column Name: found "),
    "names that are numbers": (lambda f: f.assign(Name=7), "row 1, column Name: found "),
    "names that are dates": (
        lambda f: f.assign(Name=pd.Timestamp("1912-04-15")),
        "row 1, column Name: found ",
    ),
    "a name that is a list": (first("Name", ["Byron, Miss. Ada"]), "row 1, column Name: found "),
    "a name that is a date": (first("Name", datetime.date(1912, 4, 15)), "row 1, column Name: "),
    "a ticket without letter or digit": (first("Ticket", "??"), "row 1, column Ticket: found '??'"),
    "ages that are durations": (
        lambda f: f.assign(Age=pd.to_timedelta(f["Age"].fillna(30), "D")),
        "row 1, column Age: found ",
    ),
    "ages that are dates": (
        lambda f: f.assign(Age=pd.Timestamp("1912-04-15")),
        "row 1, column Age: found ",
    ),
    "fares that are complex": (
        lambda f: f.assign(Fare=f["Fare"].astype(complex)),
        "row 1, column Fare: found (7.8292+0j), expected a number",
    ),
    "ages that are true": (lambda f: f.assign(Age=True), "row 1, column Age: found "),
    "a decimal comma": (
        cells("Fare", lambda v: f"{v}".replace(".", ",")),
        "column Fare: found '7,8",
    ),
    "a fare with its currency": (first("Fare", "£7"), "row 1, column Fare: found '£7'"),
    "a sex of another word": (first("Sex", "f"), "row 1, column Sex: found 'f'"),
    "a sex as bytes": (first("Sex", b"male"), "row 1, column Sex: found "),
    "half a class": (first("Pclass", 2.5), "row 1, column Pclass: found "),
}


def as_frame(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    return frame


def as_csv(frame: pd.DataFrame, folder: Path) -> str:
    frame.to_csv(folder / "table.csv", index=False)
    return str(folder / "table.csv")


def as_parquet(frame: pd.DataFrame, folder: Path) -> str:
    frame.to_parquet(folder / "table.parquet", index=False)
    return str(folder / "table.parquet")


# Nearly all changes are the same in each form of table. These a file may hold in a way of its own.
IN_CSV = [
    *("fare in scientific notation", "a header with spaces", "missing cabin as a database has it"),
    *("ticket with an invisible space", "ticket with a control character", "name with spaces"),
    *("port with a line break", "missing cabin as None", "ticket as Excel has it"),
]
IN_PARQUET = [
    *("float32 everywhere", "class as a category", "sex as a category", "fare as a decimal"),
    *("integers that may be missing", "small integers", "floats that may be missing"),
    *("Arrow's floats", "a header with spaces"),
]
REFUSED_IN_CSV = ["a sex as bytes", "names that are dates", "a decimal comma", "an empty name"]
REFUSED_IN_PARQUET = [
    *(
        "names that are dates",
        "ages that are durations",
        "ages that are dates",
        "ages that are true",
    ),
    *("names that are numbers", "an empty name"),
]


def cases(all_of_them: dict[str, object], in_csv: list[str], in_parquet: list[str]) -> list:
    """Each change as a frame, and some as a file."""
    pairs = [(kind, as_frame) for kind in all_of_them]
    pairs += [(kind, as_csv) for kind in in_csv] + [(kind, as_parquet) for kind in in_parquet]
    return [pytest.param(*pair, id=f"{pair[0]}, {pair[1].__name__}") for pair in pairs]


@pytest.fixture(scope="module")
def pipeline(trained) -> TitanicPipeline:
    return TitanicPipeline(f"store.uri={trained}")


@pytest.fixture(scope="module")
def expected(pipeline, _test_table) -> np.ndarray:
    return pipeline.predict(_test_table, probability=True)["probability"].to_numpy()


@pytest.fixture
def passengers(test_frame) -> pd.DataFrame:
    """The table of rows to predict, with its numbers as numbers."""
    numbers = {name: pd.to_numeric(test_frame[name]) for name in test_frame if name in NUMBERS}
    return test_frame.assign(**numbers)


NUMBERS = ("PassengerId", "Pclass", "Age", "SibSp", "Parch", "Fare")


@pytest.mark.parametrize(("kind", "form"), cases(SAME, IN_CSV, IN_PARQUET))
def test_what_means_the_same_gets_the_same_prediction(
    pipeline, passengers, expected, tmp_path, kind, form
):
    table = form(SAME[kind](passengers), tmp_path)
    found = pipeline.predict(table, probability=True)
    np.testing.assert_allclose(found["probability"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "form"), cases(REFUSED, REFUSED_IN_CSV, REFUSED_IN_PARQUET))
def test_what_means_nothing_is_refused_by_name(pipeline, passengers, tmp_path, kind, form):
    change, words = REFUSED[kind]
    with pytest.raises(DataError) as caught:
        pipeline.predict(form(change(passengers), tmp_path))
    assert words in str(caught.value)
