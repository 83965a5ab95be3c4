"""Check a table as a training or a prediction does, and report all faults."""

from __future__ import annotations

import pandas as pd

from titanic_ml.dataset.columns import check, has_column, table_faults
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.results import Validation
from titanic_ml.storage.tables import Table, name_of, open_table


def validate(data: Table, spec: DatasetSpec, with_target: bool | None = None) -> Validation:
    """Check a table.

    Parameters
    ----------
    data
        The table or its URI.
    spec
        Specification of its columns.
    with_target
        Whether the target must be present and valid; None to check it if it is present.

    Returns
    -------
    Validation
        Number of rows, and the faults.

    Raises
    ------
    DataError
        There is no table at the address, or it can't be read.
    """
    with open_table(data, keep_ragged=True) as source:
        batches = list(source.batches())
        frames = [batch.frame for batch in batches] or [source.frame()]
    ragged = [fault for batch in batches for fault in batch.faults]
    frame = pd.concat(frames, ignore_index=True)
    if with_target is None:
        with_target = has_column(frame, spec.target, spec)
    numbers = frame.index.difference([fault.row - 1 for fault in ragged]) + 1
    parsed, faults = check(frame.loc[numbers - 1], spec, with_target, numbers.to_numpy())
    faults = sorted(faults + ragged) or table_faults(parsed, spec, with_target)
    return Validation(name_of(data), len(frame), with_target, faults)
