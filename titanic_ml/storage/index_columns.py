"""Named levels of a frame's index as columns."""

from __future__ import annotations

import pandas as pd


def with_index_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the named levels of its index as columns.

    They are listed in ``attrs["optional"]``, since a table may ignore them. Unnamed levels are left
    out.
    """
    names = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if not names:
        return frame
    levels = [name for name in frame.index.names if name is not None]
    columns = frame.index.to_frame(index=False)[names]
    rest = frame.reset_index(drop=True)
    found = pd.concat([columns, rest], axis=1)
    found.attrs = {**frame.attrs, "optional": [*frame.attrs.get("optional", ()), *levels]}
    return found
