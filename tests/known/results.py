"""Train, evaluate and predict on the known database, and print what came of it, as JSON.

`python tests/known/results.py sqlite:///known.db`, on what load.py has written there. Each step is
the program's command, as a user gives it, but in this process: the training table and the rows to
predict are read from the database, predictions and rejected rows are written into it. `make
known-results` writes what it prints into results.json, with which the tests compare.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd

from titanic_ml.cli.app import main
from titanic_ml.storage.tables import read_table

SETTINGS = (
    "selection=quick",
    "evaluation.resamples=50",
    "estimator=[majority,one_column,logistic_regression]",
    "n_jobs=1",
)


def known_results(address: str, folder: Path) -> dict[str, dict]:
    """Results of each command, without versions and times; the store is in the folder."""

    def table(name: str) -> str:
        return f"{address}{'&' if '?' in address else '?'}table={name}"

    def query(sql: str) -> str:
        return f"{address}{'&' if '?' in address else '?'}query={sql}"

    def program(*words: str) -> dict:
        places = (f"store.uri={folder / 'models'}", f"scratch={folder / 'scratch'}")
        with redirect_stdout(io.StringIO()) as out:
            try:
                main([*words, "--json", *SETTINGS, *places])
            except SystemExit as ended:
                assert not ended.code, words
        return json.loads(out.getvalue())

    def predict(name: str, *words: str) -> dict:
        said = program("predict", table(name), "--output", table(f"{name}_predicted"), *words)
        return {key: said[key] for key in ("read", "rows", "rejected")}

    trained = program("train", table("passengers"))
    evaluated = program("evaluate", query('SELECT * FROM passengers WHERE "Pclass" < 3'))
    counts = [predict("waiting") for _ in range(2)]
    quarantined = predict("faulty", "--on-invalid", "quarantine", "--rejects", table("rejected"))
    rejected = read_table(table("rejected"))
    return {
        "train": {
            key: trained[key]
            for key in ("estimator", "parameters", "threshold", "metrics", "grouped", "promoted")
        },
        "evaluate first and second class": {
            key: evaluated[key] for key in ("rows", "positives", "seen", "estimates")
        },
        "predict": counts[0],
        "predict again": counts[1],
        "quarantine": quarantined,
        "rejected": dict(zip(rejected["PassengerId"].astype(int), rejected["rejected_because"])),
        "predictions": written(read_table(table("waiting_predicted"))),
    }


def written(predictions: pd.DataFrame) -> dict[int, list[float]]:
    """Class and probability of each passenger in the database."""
    table = predictions.astype({"PassengerId": int, "Survived": int, "probability": float})
    assert len(table) == table["PassengerId"].nunique(), "a passenger was predicted twice"
    rows = table.sort_values("PassengerId")[["PassengerId", "Survived", "probability"]]
    return {row.PassengerId: [row.Survived, row.probability] for row in rows.itertuples()}


def rounded(value: object) -> object:
    """With nine decimals, as predictions are kept: what is behind them differs by processor."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, 9) if isinstance(value, float) else value


def as_text(results: dict[str, dict]) -> str:
    """JSON with a line for each entry of each part, so that a change shows as one."""
    parts = []
    for name, part in rounded(results).items():
        lines = [f"    {json.dumps(str(key))}: {json.dumps(v)}" for key, v in part.items()]
        parts.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(as_text(known_results(sys.argv[1], Path(scratch))), end="")
