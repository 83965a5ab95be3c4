"""The profile of a training has its columns, and no free text."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from titanic_ml.dataset.profile import ColumnProfile
from titanic_ml.monitoring.profile import Profile


def test_it_has_each_column_apart_and_no_free_text(dataset, spec):
    chance = pd.DataFrame({"repeat_1": np.linspace(0, 1, len(dataset))})
    profile = Profile.of(dataset.profile(spec), chance)
    assert profile.columns["Sex"] == ColumnProfile(
        891, 0, ["female", "male"], [314, 577], "category"
    )
    assert profile.columns["Age"].missing == 177
    assert sum(profile.columns["Age"].counts) == 891 - 177
    for name in ("Name", "Ticket", "Cabin"):
        assert profile.columns[name].values == []
    assert profile.columns["Cabin"].missing == 687
    text = json.dumps(profile.to_dict())
    assert "BRAUND" not in text
    assert Profile.from_dict(json.loads(text)) == profile
