"""Check a table as a training or a prediction does, and report all faults."""

from __future__ import annotations

from itertools import accumulate

import pandas as pd

from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.dataset.validation import faults_of, has_column
from titanic_ml.results import Validation
from titanic_ml.storage.tables import Table, name_of, open_table


def validate(data: Table, spec: DatasetSpec, with_target: bool | None = None) -> Validation:
    """Check a table.

    Parameters
    ----------
    data
        The table or its URI.
    spec
        What its columns may hold.
    with_target
        Whether the target must be present and valid; None to check it if it is present.

    Raises
    ------
    DataError
        There is no table to check.
    """
    with open_table(data, keep_broken=True) as source:
        batches = list(source.batches())
        frames = [batch.frame for batch in batches] or [source.frame()]
    starts = accumulate((len(batch.frame) for batch in batches), initial=0)
    broken = {
        start + place: why
        for start, batch in zip(starts, batches)
        for place, why in batch.broken.items()
    }
    frame = pd.concat(frames, ignore_index=True)
    if with_target is None:
        with_target = has_column(frame, spec.target)
    faults = faults_of(frame, broken, spec, with_target)
    return Validation(name_of(data), len(frame), with_target, faults)
