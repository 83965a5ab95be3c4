"""`init` on made-up tables; `tests/cli` and the tutorial go on to train and serve."""

import numpy as np
import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import DataError, SettingsError
from titanic_ml.workflows import new_dataset
from titanic_ml.workflows.new_dataset import DatasetDrafter, sampled


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(rows=400, **columns):
    random = np.random.default_rng(0)
    x = random.normal(size=rows)
    frame = pd.DataFrame(
        {"id": np.arange(rows), "x": x, "home": random.choice(["own", "rent"], rows)}
    )
    frame["y"] = np.where(random.random(rows) < 1 / (1 + np.exp(1 - x)), "bad", "good")
    frame = frame.assign(**columns)
    frame.to_csv("t.csv", index=False)
    return frame


def draft(**given):
    return DatasetDrafter(**{"table": "t.csv", "target": "y", **given}).run()


def test_the_file_is_found_and_predicts_the_rarer_value(folder):
    table()
    found = draft()
    assert found.path == "conf/dataset/t.yaml" and found.warnings == []
    assert "y bad is predicted" in found.positive and found.columns["x"][0] == "number"
    spec = TitanicPipeline("dataset=t").spec
    assert (spec.id, spec.positive, spec.baseline) == ("id", "bad", "x")
    assert spec.answers == ("good", "bad")
    assert TitanicPipeline("dataset=t").validate().faults == []


@pytest.mark.parametrize("leak", ["value", "gap"])
def test_a_planted_leak_is_named(folder, leak):
    bad = table()["y"].eq("bad")
    planted = np.where(bad, 100.0, 0.0) if leak == "value" else np.where(bad, "", "1.5")
    table(paid=planted)
    (warning,) = draft().warnings
    assert warning.startswith("LEAK? paid ") and "is it known before y is?" in warning
    assert "LEAK? paid" in (folder / "conf/dataset/t.yaml").read_text()
    draft(name=f"leak_{leak}")
    assert TitanicPipeline(f"dataset=leak_{leak}").spec.baseline != "paid"


def test_a_table_sorted_by_its_target_is_named(folder):
    table().sort_values("y").to_csv("t.csv", index=False)
    assert "the order of the rows explains" in draft().warnings[0]


def test_another_value_can_be_named_and_set_against_the_rest(folder):
    table(y=["a", "b", "c", "c"] * 100)
    with pytest.raises(DataError, match=r"3 values: c \(200 rows\), .*: --positive VALUE"):
        draft()
    with pytest.raises(DataError, match="y has no d, but c "):
        draft(positive="d")
    draft(positive="C", name="three")
    assert TitanicPipeline("dataset=three").spec.answers == ("not c", "c")


@pytest.mark.parametrize(
    "columns, given, words",
    [
        ({}, {"target": "z"}, "t.csv has no column z for --target"),
        ({}, {"id": "home"}, "home is missing or repeated in some rows, so it is no id"),
        ({"y": "good"}, {}, r"y has good \(400 rows\), expected two values"),
        ({"y": ["good"] * 397 + ["bad"] * 3}, {}, "y has fewer than 5 rows of a class"),
        ({"y": np.arange(400) / 7}, {}, "column y: 400 different values, expected a target"),
        ({}, {"table": "other.csv"}, "other.csv"),
    ],
)
def test_a_table_that_can_not_be_predicted_is_refused(folder, columns, given, words):
    table(**columns)
    with pytest.raises(DataError, match=words):
        draft(**given)
    assert not (folder / "conf").exists()


def test_a_name_that_is_taken_is_refused(folder):
    table()
    draft()
    with pytest.raises(SettingsError, match="t.yaml exists; --force replaces it"):
        draft()
    draft(force=True)
    with pytest.raises(SettingsError, match="titanic is a dataset of the package"):
        draft(name="titanic")
    with pytest.raises(SettingsError, match="name the dataset in letters"):
        draft(name="a/b")


def test_columns_of_the_package_and_repeated_ids_are_left_out(folder):
    table(run_id="r", probability=0.5, customer_id=np.arange(400) // 4)
    found = draft()
    ignored = [name for name, (kind, _) in found.columns.items() if kind == "ignored"]
    assert ignored == ["run_id", "probability", "customer_id"]
    text = (folder / "conf/dataset/t.yaml").read_text()
    assert '#   column: "customer_id"' in text
    draft(name="repeated")
    assert "x" in TitanicPipeline("dataset=repeated").spec.inputs


def test_rows_without_target_are_named(folder):
    frame = table()
    frame.loc[:4, "y"] = None
    frame.to_csv("t.csv", index=False)
    assert draft(name="gaps").warnings == [
        "5 rows have no y: training and evaluation leave them out"
    ]
    pipeline = TitanicPipeline("dataset=gaps")
    assert pipeline.validate("t.csv").faults == []


def test_a_large_table_is_sampled_at_equal_distances(folder, monkeypatch):
    monkeypatch.setattr(new_dataset, "SAMPLE", 150)
    table()
    frame, rows = sampled("t.csv", 150)
    assert rows == 400 and frame["id"].astype("int64").diff().dropna().nunique() == 1
    assert 50 <= len(frame) <= 150


def test_a_password_is_not_written(folder):
    table()
    frame = pd.read_csv("t.csv")
    drafter = DatasetDrafter(table="postgresql://ann:secret@host/db?table=loans", target="y")
    columns = [new_dataset.infer_column(name, frame[name]) for name in frame]
    text = drafter._draft("loans", columns, 400, 400).to_yaml()
    assert "secret" not in text and "data: null" in text and "ann:***@host" in text
