"""Load the known database: `python tests/known/load.py sqlite:///known.db` (or postgresql://…).

Its tables are made from data/ each time, so they are the same in every database:

- ``passengers``: the training table, 891 rows;
- ``waiting``: the table without outcomes, 418 rows;
- ``faulty``: the first 30 of these, of which three rows can't be predicted.

They are written by pandas and the databases' drivers; nothing of titanic_ml is used. What is read
back is printed as JSON: each table's rows, and the SHA-256 of its content.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[2] / "data"


def tables() -> dict[str, pd.DataFrame]:
    """The known tables, typed as a database has them: whole numbers, numbers, texts."""
    passengers = pd.read_csv(DATA / "train.csv").convert_dtypes()
    waiting = pd.read_csv(DATA / "test.csv").convert_dtypes()
    faulty = waiting.head(30).copy()
    faulty.loc[3, "Pclass"] = 4
    faulty.loc[10, "Age"] = -1
    faulty.loc[20, "Sex"] = "unknown"
    numbers = {name: "Float64" for name in ("Age", "Fare")}
    made = {"passengers": passengers, "waiting": waiting, "faulty": faulty}
    return {name: table.astype(numbers) for name, table in made.items()}


def load(address: str) -> dict[str, dict]:
    """Write the tables into the database, in place of what has their names; what stands there."""
    if address.startswith("sqlite:///"):
        from adbc_driver_sqlite import dbapi

        address = address.removeprefix("sqlite:///")
    else:
        from adbc_driver_postgresql import dbapi
    with dbapi.connect(address) as connection:
        for name, table in tables().items():
            table.to_sql(name, connection, if_exists="replace", index=False)
        connection.commit()
        return {
            name: content(pd.read_sql(f"SELECT * FROM {name}", connection)) for name in tables()
        }


def content(table: pd.DataFrame) -> dict[str, object]:
    text = table.sort_values("PassengerId").to_csv(index=False, lineterminator="\n")
    return {"rows": len(table), "sha256": hashlib.sha256(text.encode()).hexdigest()}


if __name__ == "__main__":
    print(json.dumps(load(sys.argv[1]), indent=2))
