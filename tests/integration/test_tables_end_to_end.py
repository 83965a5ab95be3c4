"""Tables from where they are to where they are needed: real files, databases and buckets."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import DataError, InvalidTable, SettingsError, UnwritableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of
from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


SINKS = ["csv", "parquet", "folder", "sqlite", pytest.param("postgresql", marks=pytest.mark.system)]


@pytest.fixture(params=SINKS)
def output(request, tmp_path) -> str:
    """The address of an output of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")("table=predictions")
    return {
        "csv": f"{tmp_path}/out.csv",
        "parquet": f"{tmp_path}/out.parquet",
        "folder": f"{tmp_path}/runs/",
        "sqlite": f"sqlite:///{tmp_path}/out.db?table=predictions",
    }[request.param]


def test_the_same_run_again_changes_nothing(pipeline, output, monkeypatch):
    expected = pipeline.predict(TEST, probability=True)
    first = pipeline.predict_into(output, TEST, batch_rows=100)
    before = read_table(output)
    assert (first.read, first.rows, first.rejected) == (418, 418, 0)
    assert before["PassengerId"].astype("int").tolist() == expected["PassengerId"].tolist()
    assert before["Survived"].astype("int").tolist() == expected["Survived"].tolist()
    monkeypatch.setattr("titanic_ml.workflows.batch.datetime", Later)
    assert pipeline.predict_into(output, TEST) == first
    pd.testing.assert_frame_equal(read_table(output), before)
    if first.run_id:
        probability = before["probability"].astype("float").tolist()
        assert probability == expected["probability"].tolist()
        assert set(before["run_id"]) == {first.run_id}
        assert set(before["model_version"]) == {first.model}


class Later(datetime):
    """A clock that is a day ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=1)


def test_another_run_is_added_to_a_database(pipeline, passengers, postgres, tmp_path):
    half = passengers.head(200)
    for output in (postgres("table=t"), f"sqlite:///{tmp_path}/a.db?table=t"):
        for data, run_id in ((passengers, None), (half, None), (half, "mine"), (TEST, "mine")):
            pipeline.predict_into(output, data, run_id=run_id)
        counts = read_table(output)["run_id"].value_counts()
        assert sorted(counts) == [200, 418, 891] and counts["mine"] == 418


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def test_a_table_may_be_predicted_into_its_own_database(request, pipeline, tmp_path, kind):
    uri = f"sqlite:///{tmp_path}/a.db?"
    if kind == "postgresql":
        uri = request.getfixturevalue("postgres")() + "?"
    test = pd.read_csv(TEST)
    with open_sink(parse(f"{uri}table=given"), schema_of(dict.fromkeys(test, "text"))) as write:
        write(test.astype(object).where(test.notna(), None).astype("str").where(test.notna(), None))
    for _ in range(2):
        done = pipeline.predict_into(
            f"{uri}table=predictions", f"{uri}table=given", rejects=f"{uri}table=rejected"
        )
        assert (done.rows, done.rejected) == (418, 0)
    assert len(read_table(f"{uri}table=predictions")) == 418


@pytest.mark.usefixtures("unmeasured")
def test_a_row_gets_the_same_prediction_in_batches_of_any_size(pipeline, tmp_path):
    table = pd.read_csv(TEST).head(60)
    pipeline.predict_into(tmp_path / "a.csv", table, full=True)
    whole = (tmp_path / "a.csv").read_text()
    assert "probability,model_version,predicted_at\n" in whole and "run_id" not in whole
    for rows in (1, 17, 59):
        pipeline.predict_into(tmp_path / "b.csv", table, probability=True, batch_rows=rows)
        lines = zip((tmp_path / "b.csv").read_text().splitlines(), whole.splitlines())
        assert all(line.startswith(part) for part, line in lines)


@pytest.fixture(
    params=[
        "csv",
        "parquet",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.system),
        "frame",
    ]
)
def spoiled(request, passengers, tmp_path):
    """The training table with three bad rows and one doubled id, from each kind of source."""
    frame = passengers.astype(object).where(passengers.notna(), None).astype("str")
    frame = frame.where(passengers.notna(), None)
    frame.loc[[2, 500], "Age"] = "old"
    frame.loc[890, ["Sex", "Pclass"]] = ["x", "7"]
    frame.loc[700, "PassengerId"] = "1"
    if request.param == "frame":
        return frame
    if request.param in ("csv", "parquet"):
        path = tmp_path / f"bad.{request.param}"
        frame.to_csv(path, index=False) if request.param == "csv" else frame.to_parquet(path)
        return path
    uri = f"sqlite:///{tmp_path}/bad.db?table=t"
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgres")("table=t")
    with open_sink(parse(uri), schema_of(dict.fromkeys(frame, "text"))) as write:
        write(frame)
    return uri


@pytest.mark.parametrize("rows", [300, 20_000])
def test_bad_rows_are_set_aside_whole(pipeline, passengers, spoiled, tmp_path, rows):
    output = f"{tmp_path}/out.csv"
    for rejects in (f"{tmp_path}/bad_rows.parquet", f"{tmp_path}/bad_rows.csv"):
        done = pipeline.predict_into(output, spoiled, rejects=rejects, batch_rows=rows)
        assert (done.read, done.rows, done.rejected) == (891, 887, 4)
        rejected = read_table(rejects)
        assert rejected["rejected_row"].astype("int").tolist() == [3, 501, 701, 891]
        assert rejected["Age"].tolist()[:2] == ["old", "old"]
        assert rejected["Name"].tolist() == passengers["Name"].iloc[[2, 500, 700, 890]].tolist()
        why = rejected["rejected_because"].tolist()
        assert why[2] == "column PassengerId: found 1 again, expected each value once"
        assert "column Sex: found 'x', expected" in why[3]
        assert "; column" in why[3]
    written = read_table(output)["PassengerId"].astype("int")
    assert sorted({*written, 3, 501, 701, 891}) == list(range(1, 892)) and len(written) == 887


def test_without_rejects_a_bad_row_refuses_the_table(pipeline, spoiled, tmp_path):
    with pytest.raises(InvalidTable, match="has 5 faults") as caught:
        pipeline.predict_into(tmp_path / "out.csv", spoiled, batch_rows=100)
    assert [fault.row for fault in caught.value.faults] == [3, 501, 701, 891, 891]
    assert not (tmp_path / "out.csv").exists()


def test_a_bad_row_leaves_each_output_as_it_was(pipeline, passengers, output, tmp_path):
    bad = passengers.assign(Age=[*[30] * 890, 500])
    with pytest.raises(InvalidTable, match="has 1 fault"):
        pipeline.predict_into(output, bad, batch_rows=100)
    with pytest.raises(DataError):
        read_table(output)
    left = [path.name for path in tmp_path.iterdir()]
    assert set(left) <= {"runs"} and not list(tmp_path.glob("runs/*"))


def test_an_output_that_can_not_be_is_refused_before_the_work(pipeline, tmp_path):
    none = tmp_path / "none.csv"
    for words, error in (
        ({"output": "a.xlsx"}, SettingsError),
        ({"output": tmp_path / "none" / "a.csv"}, UnwritableTable),
        ({"output": tmp_path / "a.csv", "rejects": tmp_path / "a.csv"}, SettingsError),
        ({"output": tmp_path / "a.parquet", "run_id": "a/b"}, SettingsError),
    ):
        data = TEST if "run_id" in words else none
        with pytest.raises(error):
            pipeline.predict_into(data=data, **words)
    assert not list(tmp_path.iterdir())


def test_progress_reports_the_rows_and_their_share(pipeline, tmp_path):
    told = []
    pipeline.predict_into(
        tmp_path / "a.csv", TEST, batch_rows=200, progress=lambda *words: told.append(words)
    )
    assert [rows for rows, _ in told] == [200, 400, 418]
    assert told[-1][1] == 1.0


def test_a_training_table_is_the_same_wherever_it_is(pipeline, passengers, postgres, tmp_path):
    """As of its training the version knows the rows again, with their features as they were."""
    folder = tmp_path / "table"
    folder.mkdir()
    passengers.iloc[:400].to_parquet(folder / "1.parquet")
    passengers.iloc[400:].to_parquet(folder / "2.parquet")
    kinds = {"integer": "integer", "number": "number"}
    schema = schema_of({n: kinds.get(c.kind, "text") for n, c in pipeline.spec.columns.items()})
    places = [str(folder), f"sqlite:///{tmp_path}/a.db?table=t", postgres("table=t")]
    for uri in places[1:]:
        with open_sink(parse(uri), schema) as write:
            write(passengers)
    expected = pipeline.explain(5), pipeline.evaluate(passengers)
    for uri in places:
        assert repr(pipeline.explain(5, uri)) == repr(expected[0])
        assert pipeline.evaluate(uri).to_dict() == expected[1].to_dict()
        assert pipeline.evaluate(uri).seen == 891


def test_no_secret_of_an_address_is_kept_or_shown(quick, computed, postgres, passengers, store):
    uri = postgres("table=t")
    secret, shown = f":{urlsplit(uri).password}@", ":***@"
    pipeline = TitanicPipeline(f"store.uri={store}", *quick, f"data.uri={uri}")
    assert secret not in repr(pipeline) and shown in repr(pipeline)
    schema = schema_of({n: "text" for n in passengers})
    with open_sink(parse(uri), schema) as write:
        write(passengers.astype(object).where(passengers.notna(), None))
    training = pipeline.train()
    texts = [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    assert not any(secret.encode() in text for text in texts)
    assert any(shown.encode() in text for text in texts)
    assert pipeline.evaluate(model=training.version).version == training.version
