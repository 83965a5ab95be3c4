"""Faults that were found with public bug reports of other projects, by kind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import DataError, SettingsError, TitanicError, WorkersFailed
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of
from titanic_ml.training.workers import in_parallel

ROOT = Path(__file__).parents[2]


# Columns in folders, in an index, or in another case mean the same as plain columns.


def hive(*keys: str) -> Callable[[pd.DataFrame, Path], str]:
    def write(frame: pd.DataFrame, folder: Path) -> str:
        frame = frame.assign(year=1912) if "year" in keys else frame
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_to_dataset(table, folder / "hive", partition_cols=list(keys))
        return f"{folder / 'hive'}/"

    return write


def file(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[pd.DataFrame, Path], str]:
    def write(frame: pd.DataFrame, folder: Path) -> str:
        change(frame).to_parquet(folder / "a.parquet")
        return str(folder / "a.parquet")

    return write


def files(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[pd.DataFrame, Path], str]:
    def write(frame: pd.DataFrame, folder: Path) -> str:
        for place, part in enumerate((frame.iloc[:100], frame.iloc[100:])):
            change(part).to_parquet(folder / f"{place}.parquet")
        return f"{folder}/"

    return write


def database(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[pd.DataFrame, Path], str]:
    def write(frame: pd.DataFrame, folder: Path) -> str:
        changed = change(frame.astype("str").where(frame.notna(), None))
        uri = f"sqlite:///{folder}/a.db?table=t"
        with open_sink(parse(uri), schema_of({name: "text" for name in changed})) as sink:
            sink(changed)
        return uri

    return write


def by_id(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("PassengerId")


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=0).set_index("PassengerId")


PLACES = {
    "a folder of a class": hive("Pclass"),
    "folders of class and sex": hive("Pclass", "Sex"),
    "a folder that the dataset does not know": hive("year"),
    "folders known and unknown": hive("year", "Pclass"),
    "a missing value as a folder": hive("Embarked"),
    "an index of a file": file(shuffled),
    "a range as the index of a file": file(by_id),
    "a range as the index of several files": files(by_id),
    "an index of several files": files(shuffled),
    "two index levels of a file": file(lambda f: f.set_index(["PassengerId", "Sex"])),
    "an unnamed index of a file": file(lambda f: f.iloc[::-1]),
    "unnamed indexes of several files": files(lambda f: f.iloc[::-1]),
    "an index that the dataset does not know": file(lambda f: f.rename_axis("row")),
    "unknown indexes of several files": files(lambda f: f.iloc[::-1].rename_axis("row")),
    "a frame with an index": lambda f, _: by_id(f),
    "a frame with two index levels": lambda f, _: f.set_index(["Pclass", "PassengerId"]),
    "a frame with an unknown index": lambda f, _: f.rename_axis("row"),
    "an Arrow table with an index": lambda f, _: pa.Table.from_pandas(shuffled(f)),
    "lower case in a file": file(lambda f: f.rename(columns=str.lower)),
    "lower case in several files": files(lambda f: f.rename(columns=str.lower)),
    "lower case in a database": database(lambda f: f.rename(columns=str.lower)),
    "upper case in a frame": lambda f, _: f.rename(columns=str.upper),
    "one name in lower case": lambda f, _: f.rename(columns={"Age": "age"}),
    "lower case and spaces": lambda f, _: f.rename(columns=lambda name: f" {name.lower()} "),
    "a lower-case index": lambda f, _: by_id(f).rename_axis("passengerid"),
    "a lower-case folder": lambda f, p: hive("pclass")(f.rename(columns={"Pclass": "pclass"}), p),
    "run-end encoded": lambda f, _: _encoded(pa.Table.from_pandas(f)),
}


def _encoded(table: pa.Table) -> pa.Table:
    column = pa.compute.run_end_encode(table["Pclass"].combine_chunks())
    return table.set_column(table.schema.get_field_index("Pclass"), "Pclass", column)


@pytest.mark.parametrize("place", PLACES)
def test_columns_are_found_in_every_place(pipeline, test_frame, tmp_path, place):
    expected = pipeline.predict(test_frame, probability=True).set_index("PassengerId")
    found = pipeline.predict(PLACES[place](test_frame, tmp_path), probability=True)
    found = found.set_index("PassengerId").loc[expected.index]
    pd.testing.assert_frame_equal(found, expected)


def test_rejected_rows_have_the_columns_of_folders(pipeline, test_frame, tmp_path):
    frame = test_frame.astype({"Age": "object"}).iloc[::-1].astype({"Age": "str"})
    frame.loc[5, "Age"] = "old"
    (tmp_path / "year=1912/Pclass=3").mkdir(parents=True)
    frame.drop(columns="Pclass").to_parquet(tmp_path / "year=1912/Pclass=3/a.parquet")
    output, rejects = tmp_path / "out.csv", tmp_path / "rejects.csv"
    pipeline.predict_into(output, f"{tmp_path}/year=1912/", rejects=rejects)
    (row,) = pd.read_csv(rejects).to_dict("records")
    assert (row["PassengerId"], row["Age"], row["Pclass"], row["year"]) == (897, "old", 3, 1912)
    assert len(pd.read_csv(output)) == 417


def test_columns_of_a_range_go_on_in_later_batches(pipeline, test_frame, tmp_path):
    many = pd.concat([test_frame] * 130, ignore_index=True).rename_axis("PassengerId")
    many = many.drop(columns="PassengerId")
    assert isinstance(many.index, pd.RangeIndex) and len(many) > 49_152
    many.index += 1
    many.to_parquet(tmp_path / "a.parquet")
    found = pipeline.predict(str(tmp_path / "a.parquet"))
    assert found["PassengerId"].tolist() == list(range(1, len(many) + 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(age=1), "column age: found several columns that differ in case only"),
        (lambda f: f.rename(columns=lambda n: f"x{n}"), "found none of the columns, but 'xPasse"),
        (lambda f: f.set_axis(range(11), axis=1), "found no header (the first line is '0,1,2"),
        (lambda f: f.rename_axis("row").drop(columns="Sex"), "column Sex: found no column"),
    ],
)
def test_columns_that_can_not_be_matched_are_named(pipeline, test_frame, change, message):
    with pytest.raises(DataError) as caught:
        pipeline.predict(change(test_frame))
    assert message in str(caught.value)


# One row, and tables of other libraries, get the checks that files get.


class LazyFrame:
    """Like that of polars."""

    def collect(self) -> None:
        """Not called."""


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"Age": [[1], [2]]}), "column Age is nested (list<"),
        (pa.table({"Age": [{"a": 1}]}), "column Age is nested (struct<"),
        (LazyFrame(), "pass table.collect()"),
        (7, "found an object of the type int"),
    ],
)
def test_a_table_in_memory_is_refused_like_a_file(pipeline, table, message):
    with pytest.raises(DataError) as caught:
        pipeline.predict(table)
    assert message in str(caught.value)


@pytest.mark.parametrize("row", [[1, 2], None, "male", 7, np.zeros(3)])
def test_what_is_no_row_is_refused(pipeline, row):
    for method in (pipeline.predict_one, pipeline.online.explain_one):
        with pytest.raises(DataError, match="expected one row as a dict or a Series"):
            method(row)


def test_a_row_may_be_a_series_or_in_lower_case(pipeline, test_frame):
    row = test_frame.iloc[0]
    expected = pipeline.predict_one(dict(row))
    assert pipeline.predict_one(row) == expected
    assert pipeline.predict_one(row.rename(str.lower)) == expected
    assert pipeline.online.explain_one(row) == pipeline.online.explain_one(dict(row))


@pytest.mark.parametrize("row", [pd.Series({"Pclass": 1}), pd.DataFrame(), {"Pclass": 1}, None])
def test_explaining_a_row_by_its_values_points_to_explain_one(pipeline, row):
    with pytest.raises(DataError, match=f"type {type(row).__name__}, .* a row to explain_one"):
        pipeline.explain(row)


# Workers that die, and closed standard streams, are one sentence.


def die(number: int) -> int:
    os._exit(9)


def fill(number: int) -> int:
    raise OSError(28, "No space left on device")


@pytest.mark.system
@pytest.mark.parametrize(
    ("job", "message"),
    [(die, "a worker process was killed"), (fill, "No space left on device; free temporary")],
)
def test_a_dead_worker_is_a_sentence(job, message):
    with pytest.raises(WorkersFailed, match=message) as caught:
        list(in_parallel(2, job, [(n,) for n in range(2)]))
    assert "n_jobs=1" in str(caught.value)


@pytest.mark.parametrize("path", ["/nonexistent/python", ""])
def test_an_interpreter_that_workers_cannot_run_is_a_sentence(monkeypatch, path):
    monkeypatch.setattr(sys, "executable", path)
    with pytest.raises(WorkersFailed, match=f"run the interpreter '{path}'.*set n_jobs=1"):
        list(in_parallel(2, fill, [(1,)]))


@pytest.mark.system
@pytest.mark.posix
@pytest.mark.parametrize(
    ("words", "stream", "message"),
    [
        ("validate -", "<&-", "standard input is closed; name a file"),
        ("predict data/test.csv --output -", ">&-", "standard output is closed; name a file"),
    ],
)
def test_a_closed_stream_is_a_sentence(trained, words, stream, message):
    command = f"{sys.executable} main.py {words} store.uri={trained} {stream}"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


# Settings files that other editors write.


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.yaml", "seed: 5".encode("utf-16"), "not UTF-8 text; save it as UTF-8"),
        ("config.yaml", "seed: 5 # é".encode("cp1252"), "not UTF-8 text; save it as UTF-8"),
        ("config.yml", b"seed: 5", "a settings file ends in .yaml; rename it"),
        ("estimator/svc.yml", b"svc: {}", "a settings file ends in .yaml; rename it"),
    ],
)
def test_a_settings_file_of_another_form_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        TitanicPipeline(config_dir=tmp_path)


def test_a_settings_file_may_have_a_byte_order_mark(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 5", "utf-8-sig")
    assert TitanicPipeline(config_dir=tmp_path).settings.seed == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'A=1\nTITANIC_DATA_URI="a.csv\n', "line 2: expected NAME=value"),
        ("A=1".encode("utf-16"), "not UTF-8 text"),
        ("A=é".encode("cp1252"), "not UTF-8 text"),
    ],
)
def test_a_dotenv_file_that_can_not_be_read_is_refused(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        TitanicPipeline(f"scratch={tmp_path}")  # in no cache of these tests


@pytest.mark.parametrize("name", ["titanic/prod", "a:b", "a%b"])
def test_a_name_that_mlflow_refuses_is_refused_at_once(name):
    with pytest.raises(SettingsError, match="tracking.name"):
        TitanicPipeline(f"tracking.name='{name}'")


# Monitoring, and queries.


def test_a_table_without_rows_is_named(pipeline, test_frame):
    for table in (test_frame.head(0), test_frame.head(0).rename(columns=str.lower)):
        with pytest.raises(DataError, match="found no rows, expected at least one"):
            pipeline.monitor(table)


def test_outcomes_of_training_rows_are_said_to_be_so(pipeline, passengers):
    with pytest.raises(DataError, match="was not trained on .of 891 rows, 891 have an outcome"):
        pipeline.monitor(passengers.drop(columns="Survived"), labels=passengers)


@pytest.fixture
def query(test_frame, tmp_path) -> Callable[[str], str]:
    uri = database(lambda frame: frame)(test_frame, tmp_path).partition("?")[0]
    return lambda text: f"{uri}?query={text}"


@pytest.mark.parametrize(
    "text", ["SELECT * FROM t -- all", "SELECT * FROM t; ", "-- all\nSELECT * FROM t"]
)
def test_a_query_may_have_a_comment(pipeline, query, text):
    assert len(pipeline.predict(query(text))) == 418


@pytest.mark.parametrize("text", ["DELETE FROM t", "UPDATE t SET Age = 1", "DROP TABLE t"])
def test_a_query_that_reads_nothing_is_refused(pipeline, query, text):
    with pytest.raises(TitanicError, match=f"the query is a {text.split()[0]}, expected a SELECT"):
        pipeline.predict(query(text))
