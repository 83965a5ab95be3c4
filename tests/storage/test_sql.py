"""Databases: round trips, all or nothing, without secrets in messages."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Timer

import pandas as pd
import pytest
from adbc_driver_manager import AdbcStatusCode, dbapi

from titanic_ml.errors import MissingTable, SettingsError, UnreadableTable, UnwritableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import check_sink, open_sink, schema_of, time_of_run
from titanic_ml.storage.sql import _translate_errors
from titanic_ml.storage.tables import open_table, read_table

KINDS = {"id": "integer", "p": "number", "word": "text", "predicted_at": "time", "run_id": "text"}
SCHEMA = schema_of(KINDS)
TIME = datetime(2026, 11, 25, 12, 30, 1, tzinfo=UTC)
ODD = 'a "table"; DROP TABLE x --'


def make(run: str, count: int) -> pd.DataFrame:
    ids = list(range(1, count + 1))
    words = ['Zoë\'s "x"' if i % 2 else None for i in ids]
    frame = pd.DataFrame({"id": ids, "p": [i / 10 for i in ids]})
    return frame.assign(word=pd.Series(words, dtype="str"), predicted_at=TIME, run_id=run)


def write(uri: str, run: str, *frames: pd.DataFrame) -> None:
    with open_sink(parse(uri), SCHEMA, run) as insert:
        for frame in frames:
            insert(frame)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def database(request, tmp_path):
    """Addresses in an empty database, of each kind."""
    if request.param == "sqlite":
        return lambda words: f"sqlite:///{tmp_path}/a.db?{words}"
    return request.getfixturevalue("postgres")


def test_a_table_comes_back_as_it_was_written(database):
    write(database("table=t"), "r", make("r", 3), make("r", 2))
    found = read_table(database("table=t"))
    assert list(found) == list(KINDS)
    assert found["id"].astype("int").tolist() == [1, 2, 3, 1, 2]
    assert found["p"].astype("float").tolist() == [0.1, 0.2, 0.3, 0.1, 0.2]
    word = 'Zoë\'s "x"'
    assert found["word"].fillna("-").tolist() == [word, "-", word, word, "-"]
    assert pd.to_datetime(found["predicted_at"]).unique().tolist() == [pd.Timestamp(TIME)]


def test_names_are_quoted_and_never_pasted(database):
    write(database("table=x"), "r", make("r", 1))
    write(database(f"table={ODD}"), "r", make("r", 2))
    write(database(f"table={ODD}"), "r", make("r", 2))
    assert len(read_table(database(f"table={ODD}"))) == 2
    assert len(read_table(database("table=x"))) == 1
    assert time_of_run(parse(database(f"table={ODD}")), "r' OR 1=1 --") is None


def test_a_schema_may_be_named(postgres):
    with pytest.raises(UnwritableTable, match='schema "own" does not exist'):
        write(postgres("table=t&schema=own"), "r", make("r", 1))
    write(postgres("table=t&schema=public"), "r", make("r", 1))
    assert len(read_table(postgres("table=t"))) == 1
    with pytest.raises(MissingTable, match="write .table=t&schema=public"):
        read_table(postgres("table=public.t"))


def test_a_query_is_read_in_its_order(database):
    write(database("table=t"), "r", make("r", 5))
    uri = database("query=SELECT id, p FROM t WHERE p < 0.45 ORDER BY id DESC;")
    assert read_table(uri)["id"].astype("int").tolist() == [4, 3, 2, 1]
    with open_table(uri) as source:
        assert [b.fraction for b in source.batches(3)] == [None, None]


def test_of_a_table_it_is_known_how_much_was_read(database):
    write(database("table=t"), "r", make("r", 5))
    with open_table(database("table=t")) as source:
        batches = list(source.batches(2))
    assert [len(b.frame) for b in batches] == [2, 2, 1]
    assert batches[-1].fraction == 1.0


@pytest.mark.parametrize("query", ["DELETE FROM t", "DROP TABLE t", "UPDATE t SET p = 0"])
def test_reading_changes_nothing(database, query):
    write(database("table=t"), "r", make("r", 5))
    with pytest.raises(UnreadableTable):
        read_table(database(f"query={query}"))
    assert read_table(database("table=t"))["p"].astype("float").sum() == pytest.approx(1.5)


def test_the_same_run_replaces_its_rows_and_no_others(database):
    uri = database("table=t")
    assert time_of_run(parse(uri), "a") is None
    for run, count in (("a", 3), ("b", 4), ("a", 2), ("a", 2)):
        write(uri, run, make(run, count))
    found = read_table(uri)["run_id"].value_counts().to_dict()
    assert found == {"a": 2, "b": 4}
    assert datetime.fromisoformat(time_of_run(parse(uri), "a")) == TIME
    write(uri, "b")
    assert read_table(uri)["run_id"].tolist() == ["a", "a"]


def test_a_table_that_is_there_is_refused_added_to_or_replaced(database):
    write(database("table=t&if_exists=fail"), "a", make("a", 1))
    for call in (check_sink, open_sink):
        with pytest.raises(UnwritableTable, match="the table is there already, expected none"):
            with open_sink(parse(database("table=t&if_exists=fail")), SCHEMA, "b"):
                pass
            call(parse(database("table=t&if_exists=fail")), SCHEMA)
    write(database("table=t"), "b", make("b", 1))
    assert read_table(database("table=t"))["run_id"].tolist() == ["a", "b"]
    write(database("table=t&if_exists=replace"), "c", make("c", 1))
    assert read_table(database("table=t"))["run_id"].tolist() == ["c"]


def test_a_table_of_other_columns_is_named_before_the_work(database):
    other = schema_of({"id": "integer", "run_id": "text"})
    with open_sink(parse(database("table=t")), other, "a") as insert:
        insert(pd.DataFrame({"id": [1], "run_id": ["a"]}))
    with pytest.raises(UnwritableTable, match="has the columns id, run_id, expected id, p, word"):
        check_sink(parse(database("table=t")), SCHEMA)
    assert time_of_run(parse(database("table=t&if_exists=replace")), "a") is None
    write(database("table=t&if_exists=replace"), "b", make("b", 1))
    assert len(read_table(database("table=t"))) == 1


def test_a_table_without_rows_is_made(database):
    write(database("table=t"), "a")
    assert list(read_table(database("table=t"))) == list(KINDS)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("if_exists", ["append", "replace"])
def test_an_error_midway_changes_nothing(database, error, there, if_exists):
    if there:
        write(database("table=t"), "a", make("a", 2))
    with pytest.raises(error):
        with open_sink(parse(database(f"table=t&if_exists={if_exists}")), SCHEMA, "a") as insert:
            insert(make("a", 5))
            raise error
    if there:
        assert len(read_table(database("table=t"))) == 2
    else:
        with pytest.raises(UnreadableTable, match="t"):
            read_table(database("table=t"))


def test_what_is_not_there_is_reported_in_a_sentence(database):
    write(database("table=t"), "r", make("r", 1))
    for words, told in (
        ("table=none", "none"),
        ("query=SELECT x FROM none", "none"),
        ("query=SELECT FROM WHERE", "syntax"),
    ):
        with pytest.raises(UnreadableTable, match=told) as caught:
            read_table(database(words))
        assert "\n" not in str(caught.value) and "SQLSTATE" not in str(caught.value)
    with pytest.raises(SettingsError, match="a query can only be read; name a .table= to write"):
        check_sink(parse(database("query=SELECT 1")), SCHEMA)


def test_of_sqlite_the_file_must_be_there_to_be_read_and_the_folder_to_be_written(tmp_path):
    with pytest.raises(UnreadableTable, match="none.db.*: no such file .looked for"):
        read_table(f"sqlite:///{tmp_path}/none.db?table=t")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UnwritableTable, match="can't be written: No such file or directory"):
        write(f"sqlite:///{tmp_path}/none/a.db?table=t", "r", make("r", 1))
    (tmp_path / "b.db").write_text("This is no database. " * 50)
    with pytest.raises(UnreadableTable, match="file is not a database"):
        read_table(f"sqlite:///{tmp_path}/b.db?table=t")


def test_a_column_of_sqlite_may_hold_values_of_several_types(tmp_path):
    """The driver infers a type from the first rows, and stops at a later row of another."""
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (a, b)")
        values = [(1, None)] * 3000 + [(1.5, "x"), ("word", 2), (12345678901234567, None)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", values)
    connection.close()
    found = read_table(f"sqlite:///{tmp_path}/a.db?table=t")
    assert found["a"].tolist()[-4:] == ["1", "1.5", "word", "12345678901234567"]
    assert found["b"].tolist()[-3:-1] == ["x", "2"]


def test_types_that_only_postgresql_has_are_read(postgres):
    query = "SELECT 22.50::numeric, '{\"x\": 1}'::jsonb AS b, 'ab'::char(3) AS c, 3::smallint AS d"
    found = read_table(postgres(f"query={query}"))
    assert [str(value) for value in found.iloc[0]] == ["22.50", '{"x": 1}', "ab ", "3"]


def test_the_same_content_has_the_same_fingerprint(database):
    write(database("table=t"), "r", make("r", 5))
    write(database("table=u"), "r", make("r", 5))
    write(database("table=v"), "r", make("r", 6))

    def fingerprint(table):
        with open_table(database(f"table={table}")) as source:
            first, rows = source.fingerprint(), len(source.frame())
            assert (source.fingerprint(), rows > 0) == (first, True)
            return first

    assert fingerprint("t") == fingerprint("u") != fingerprint("v")


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ann:s3cret@127.0.0.1:1/db?table=t",
        "postgresql://ann:s3cret@nowhere.invalid/db?table=t",
        "postgresql://ann@127.0.0.1:1/db?password=s3cret&table=t",
        "postgresql://ann:s3cret/x@127.0.0.1/db?table=t",
        "postgresql://ann:s3cret?x@127.0.0.1/db?table=t",
        "postgresql://ann:s3cret@127.0.0.1/db",
        "postgresql://ann:s3cret@127.0.0.1:port/db?table=t",
    ],
)
def test_no_message_reports_a_password(uri):
    for call in (read_table, lambda uri: write(uri, "r", make("r", 1))):
        with pytest.raises((UnreadableTable, UnwritableTable, SettingsError)) as caught:
            call(uri)
        assert "s3cret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_wrong_password_or_role_is_reported_without_it(postgres):
    uri = postgres("table=t").replace("postgres:s3cret@", "nobody:s3cret@")
    with pytest.raises(UnreadableTable, match='role "nobody" does not exist') as caught:
        read_table(uri)
    assert "s3cret" not in str(caught.value) and "nobody:***@" in str(caught.value)


def test_a_missing_extra_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_sqlite.dbapi", None)
    uri = f"sqlite:///{tmp_path}/a.db?table=t"
    with pytest.raises(SettingsError, match="databases need the extra sql"):
        check_sink(parse(uri), SCHEMA)
    (tmp_path / "a.db").touch()
    with pytest.raises(SettingsError) as caught:
        read_table(uri)
    assert str(caught.value).endswith(
        "the extra sql, which is not installed; make install-all, or pip install 'titanic_ml[sql]'"
    )


def test_who_writes_waits_for_another_who_does(tmp_path):
    uri = f"sqlite:///{tmp_path}/a.db?table=t"
    write(uri, "a", make("a", 1))
    with open_sink(parse(uri), SCHEMA, "b") as one, open_sink(parse(uri), SCHEMA, "c") as other:
        one(make("b", 2))
        other(make("c", 3))
    assert read_table(uri)["run_id"].value_counts().to_dict() == {"a": 1, "b": 2, "c": 3}


def test_values_of_any_type_are_stored(database):
    frame = pd.DataFrame(
        {
            "decimal": [Decimal("7.25"), None],
            "date": [date(1912, 4, 15), None],
            "time": pd.to_datetime(["1912-04-15 02:20", None]),
            "kind": pd.Categorical(["a", None]),
            "small": pd.array([1, None], dtype="UInt16"),
            "nothing": [None, None],
        }
    )
    with open_table(frame) as source:
        schema = source.schema
    with open_sink(parse(database("table=t&if_exists=replace")), schema) as insert:
        insert(frame)
    found = read_table(database("table=t"))
    assert found.isna().iloc[1].all() and found["nothing"].isna().all()
    first = found.iloc[0].drop("nothing").astype(str).tolist()
    assert [value[:10] for value in first[:3]] == ["7.25", "1912-04-15", "1912-04-15"]
    assert first[3:] == ["a", "1"]


def test_ctrl_c_during_a_statement_is_an_interrupt(own_postgres):
    Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        read_table(own_postgres("query=SELECT pg_sleep(30)"))


def test_an_error_amid_the_rows_is_a_sentence(own_postgres):
    query = "SELECT 1 / (50000 - i) AS a FROM generate_series(1, 60000) AS i"
    with pytest.raises(UnreadableTable, match=r"\?query=.*: division by zero$"):
        read_table(own_postgres(f"query={query}"))


def test_a_cancelled_statement_is_an_interrupt():
    error = dbapi.OperationalError(
        "ERROR:  canceling statement due to user request", status_code=AdbcStatusCode.CANCELLED
    )
    with (
        pytest.raises(KeyboardInterrupt),
        _translate_errors(parse("postgresql://host/db?table=t"), UnreadableTable),
    ):
        raise error
