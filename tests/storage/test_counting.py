"""Rows are counted where they are: of a table, and of one run in it."""

from __future__ import annotations

import pandas as pd
import pytest

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.counting import count_rows
from titanic_ml.storage.sinks import open_sink, schema_of

SCHEMA = schema_of({"id": "integer", "run_id": "text"})


def fill(uri: str) -> None:
    for run, count in (("a", 3), ("b's", 2)):
        with open_sink(parse(uri), SCHEMA, run) as write:
            write(pd.DataFrame({"id": range(count), "run_id": run}))


@pytest.mark.parametrize(
    "kind", ["folder", "sqlite", pytest.param("postgresql", marks=pytest.mark.system)]
)
def test_all_rows_or_those_of_a_run(tmp_path, request, kind):
    uri = {"folder": f"{tmp_path}/runs/", "sqlite": f"sqlite:///{tmp_path}/a.db?table=t"}.get(kind)
    uri = uri or request.getfixturevalue("postgres")("table=t")
    fill(uri)
    assert [count_rows(uri, run) for run in (None, "a", "b's", "c")] == [5, 3, 2, 0]


def test_what_a_database_does_not_have_yet_has_no_rows(tmp_path):
    nowhere = f"sqlite:///{tmp_path}/a.db?table=t"
    assert count_rows(nowhere) == count_rows(nowhere, "a") == 0
    assert not (tmp_path / "a.db").exists()
    fill(nowhere)
    assert count_rows(nowhere.replace("=t", "=other"), "a") == 0


def test_a_file_a_query_and_what_names_no_run(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n2\n")
    assert count_rows(f"{tmp_path}/a.csv") == 2
    fill(f"sqlite:///{tmp_path}/a.db?table=t")
    query = f"sqlite:///{tmp_path}/a.db?query=SELECT%20run_id,%20id%20FROM%20t"
    assert (count_rows(query), count_rows(query, "a")) == (5, 3)
    plain = f"sqlite:///{tmp_path}/a.db?table=plain"
    with open_sink(parse(plain), schema_of({"id": "integer"})) as write:
        write(pd.DataFrame({"id": [1]}))
    for uri in (f"{tmp_path}/a.csv", plain):
        with pytest.raises(UnreadableTable, match="has no column run_id, expected one"):
            count_rows(uri, "a")
    with pytest.raises(UnreadableTable, match="no such file"):
        count_rows(f"{tmp_path}/b.csv")
