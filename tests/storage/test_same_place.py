"""Two addresses of one place; commands' cases are in tests/behaviour/test_inputs_are_kept.py."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from titanic_ml.errors import SettingsError
from titanic_ml.storage.same_place import STORE, refuse_shared

SAME = [
    ("s3://bucket/a.csv", "s3://bucket/a.csv"),
    ("s3://bucket/a/", "s3://bucket/a"),
    ("s3://bucket/a/*.parquet", "s3://bucket/a/b.parquet"),
    ("gs://bucket/a", "gs://bucket/a/"),
    # Nobody answers there, so the words are compared.
    (
        "postgresql://ann:pw@127.0.0.1:1/a?table=t",
        "postgresql://bob@127.0.0.1:1/a?table=t&schema=s",
    ),
    (
        "postgresql://127.0.0.1:1/a?query=TABLE t",
        "postgresql://127.0.0.1:1/a?table=t&if_exists=replace",
    ),
]
OTHER = [
    ("s3://bucket/a.csv", "s3://other/a.csv"),
    ("s3://bucket/a/", "s3://bucket/ab/"),
    ("s3://bucket/a", "gs://bucket/a"),
    ("a.csv", "s3://bucket/a.csv"),
    ("https://host/a.csv", "a.csv"),
    ("memory:///a", "memory:///a"),
    ("sqlite:///a.db?table=t", "postgresql://host/a?table=t"),
    ("postgresql://host/a?table=t", "postgresql://host/a?table=u"),
    ("postgresql://127.0.0.1:1/a?table=t&schema=r", "postgresql://127.0.0.1:1/a?table=t&schema=s"),
    ("postgresql://127.0.0.1:1/a?table=t", "postgresql://127.0.0.1:1/b?table=t"),
    ("a\0.csv", "b.csv"),
    ("-", "-"),
]


@pytest.mark.parametrize(("read", "written"), SAME)
def test_one_place_in_two_spellings_is_refused(read, written):
    with pytest.raises(SettingsError, match="is both input and output; name another output"):
        refuse_shared({"input": read}, {"output": written})


@pytest.mark.parametrize(("read", "written"), OTHER)
def test_two_places_are_two(read, written):
    refuse_shared({"input": read}, {"output": written})


def test_tables_in_memory_and_what_is_not_set_are_passed_over(tmp_path):
    refuse_shared({"input": pd.DataFrame(), "labels": None}, {"output": tmp_path, "rejects": None})


def test_a_path_is_an_address_too(tmp_path):
    with pytest.raises(SettingsError, match="is both input and output"):
        refuse_shared({"input": tmp_path / "a.csv"}, {"output": f"{tmp_path}/./a.csv"})


def test_a_message_shows_both_spellings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"^\./a\.csv \(a\.csv\) is both input and output"):
        refuse_shared({"input": "a.csv"}, {"output": "./a.csv"})


def test_a_store_has_its_folders_for_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("models/version").mkdir(parents=True)
    for written in ("models/version/a.csv", "models/new/a.csv", "models/new/", "models/version"):
        with pytest.raises(SettingsError, match="lies in models, which is the store"):
            refuse_shared({STORE: "models"}, {"output": written})
    refuse_shared({STORE: "models"}, {"output": "models/a.csv"})  # the store has no such objects
    refuse_shared({STORE: "models"}, {"output": "models.csv"})
