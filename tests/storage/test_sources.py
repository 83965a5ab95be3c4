"""Tables as streams: batches of any size are the same rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.tables import open_table, read_table

FRAME = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": ["x", None, "z", "é", "y"]})


@pytest.fixture(params=["csv", "csv.gz", "parquet", "folder", "frame"])
def table(request, tmp_path):
    """Equal rows in each format."""
    if request.param == "frame":
        return FRAME
    if request.param == "folder":
        FRAME.iloc[:2].to_parquet(tmp_path / "1.parquet")
        FRAME.iloc[2:].reset_index(drop=True).to_parquet(tmp_path / "2.parquet")
        return tmp_path
    path = tmp_path / f"a.{request.param}"
    FRAME.to_parquet(path) if request.param == "parquet" else FRAME.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 100])
def test_batches_of_any_size_are_the_rows_in_order(table, rows):
    with open_table(table) as source:
        for _ in range(2):  # it can be read again
            batches = list(source.batches(rows))
            found = pd.concat([batch.frame for batch in batches])
            assert found["a"].astype("int").tolist() == [1, 2, 3, 4, 5]
            assert found["b"].fillna("-").tolist() == ["x", "-", "z", "é", "y"]
            assert max(len(batch.frame) for batch in batches) <= rows
            assert batches[-1].fraction == 1.0
            shares = [batch.fraction for batch in batches]
            assert shares == sorted(shares)


def test_a_fingerprint_is_of_the_content(table, tmp_path):
    with open_table(table) as source:
        first = source.fingerprint()
        assert source.fingerprint() == first
        assert len(source.frame()) == 5
    other = FRAME.assign(a=[1, 2, 3, 4, 6])
    other.to_parquet(tmp_path / "other.parquet")
    for different in (other, tmp_path / "other.parquet"):
        with open_table(different) as source:
            assert source.fingerprint() != first


def test_whole_numbers_stay_whole_beside_missing_ones(tmp_path):
    large = 2**53 + 1
    frame = pd.DataFrame({"a": pd.array([large, None], dtype="Int64")})
    frame.astype(object).to_parquet(tmp_path / "a.parquet")
    assert read_table(str(tmp_path / "a.parquet"))["a"][0] == large


def test_the_files_of_a_folder_have_the_same_columns_of_types_that_fit(tmp_path):
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"b": ["z"], "a": [1.5]}).to_parquet(tmp_path / "2.parquet")
    assert read_table(str(tmp_path)).to_dict("list") == {"a": [1.0, 2.0, 1.5], "b": ["x", "y", "z"]}
    pd.DataFrame({"a": ["word"], "b": ["z"]}).to_parquet(tmp_path / "3.parquet")
    with pytest.raises(UnreadableTable, match="its files differ: .*Field a has incompatible types"):
        read_table(str(tmp_path))
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "3.parquet")
    with pytest.raises(UnreadableTable, match="3.parquet: has the columns a, expected those of"):
        read_table(str(tmp_path))


def test_a_frame_may_hold_what_arrow_has_no_type_for():
    frame = pd.DataFrame({"a": [1, "x"], "b": [date(1912, 4, 15), None], "c": [Decimal("1.5"), 2j]})
    with open_table(frame) as source:
        assert [str(field.type) for field in source.schema] == ["string", "date32[day]", "string"]
        assert len(source.fingerprint()) == 64
    with open_table(frame.head(0)) as source:
        assert list(source.batches()) == []
