"""Named levels of an index become columns; unnamed ones are left out."""

from __future__ import annotations

import pandas as pd

from titanic_ml.storage.index_columns import with_index_columns


def test_named_levels_become_optional_columns():
    index = pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["id", None])
    found = with_index_columns(pd.DataFrame({"x": [3, 4]}, index))
    assert found.to_dict("list") == {"id": [1, 2], "x": [3, 4]}
    assert found.attrs == {"optional": ["id"]} and isinstance(found.index, pd.RangeIndex)


def test_a_frame_without_names_is_returned_as_it_is():
    frame = pd.DataFrame({"x": [3, 4]}, [7, 8])
    assert with_index_columns(frame) is frame


def test_a_column_wins_over_a_level_of_its_name():
    frame = pd.DataFrame({"id": [3]}, pd.Index([9], name="id"))
    assert with_index_columns(frame)["id"].tolist() == [3]
