"""The committed tables are those that data/README.md describes."""

import hashlib
from pathlib import Path

import pytest

from titanic_ml.dataset.dataset import Dataset

DATA = Path(__file__).parents[1] / "data"
TABLES = {
    "train.csv": (
        "7d118fef8b6ccf7f81111877bc388536f7b1e498a655e3d649d19aaa010e9f6f",
        891,
        {"Age": 177, "Cabin": 687, "Embarked": 2},
    ),
    "test.csv": (
        "56023b9948236f3c7a1c9448fcf418b283e109ef177fa8c7e069158dd7dd52b2",
        418,
        {"Age": 86, "Cabin": 327, "Fare": 1},
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_file_is_the_published_one(name):
    digest = hashlib.sha256((DATA / name).read_bytes()).hexdigest()
    assert digest == TABLES[name][0]
    assert digest in (DATA / "README.md").read_text()


@pytest.mark.parametrize("name", TABLES)
def test_rows_and_missing_values(name, train_frame, test_frame):
    frame = {"train.csv": train_frame, "test.csv": test_frame}[name]
    _, rows, missing = TABLES[name]
    counts = frame.isna().sum()
    assert len(frame) == rows
    assert counts[counts > 0].to_dict() == missing


def test_columns_are_those_of_the_schema(train_frame, test_frame, spec):
    assert list(train_frame) == list(spec.columns)
    assert list(test_frame) == [name for name in spec.columns if name != spec.target]


def test_tables_share_no_passenger_and_have_no_fault(train_frame, test_frame, spec):
    train = Dataset.from_frame(train_frame, spec, "train.csv")
    test = Dataset.from_frame(test_frame, spec, "test.csv", with_target=False)
    assert not set(train.ids) & set(test.ids)


def test_readme_gives_the_counts_of_missing_values(spec):
    lines = (DATA / "README.md").read_text().splitlines()
    cells = {line.split("|")[1].strip(): line.split("|")[-3:-1] for line in lines if "|" in line}
    for name in spec.columns:
        for cell, (_, _, missing) in zip(cells[name], TABLES.values(), strict=True):
            expected = "not there" if (name, cell.strip()) == (spec.target, "not there") else None
            assert cell.strip() == (expected or str(missing.get(name, 0)))
