from dataclasses import FrozenInstanceError

import pytest

from titanic_ml.config.compose import load_settings
from titanic_ml.config.settings import Settings, known_keys, sections
from titanic_ml.errors import SettingsError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=-1", "seed is -1, expected from 0 to 4294967295"),
        ("seed=4294967296", "seed is 4294967296, expected from 0 to"),
        ("n_jobs=0", "n_jobs is 0, expected -1 (all cores) or a number of processes"),
        ("selection.repeats=0", "selection.repeats is 0, expected at least 1"),
        ("selection.folds=1", "selection.folds is 1, expected at least 2"),
        ("selection.inner_folds=1", "selection.inner_folds is 1, expected at least 2"),
        ("selection.tolerance=-1", "selection.tolerance is -1.0, expected 0 or more"),
        ("evaluation.resamples=0", "evaluation.resamples is 0, expected at least 1"),
        ("evaluation.confidence=0", "evaluation.confidence is 0.0, expected between 0 and 1"),
        ("promotion.margin=-1", "promotion.margin is -1.0, expected 0 or more"),
    ],
)
def test_a_value_out_of_range_reports_what_was_expected(override, message):
    with pytest.raises(SettingsError) as caught:
        load_settings([override])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", ["seed", "selection.folds", "data.uri", "store.uri"])
def test_settings_are_frozen(key):
    *section, name = key.split(".")
    holder = load_settings()
    for part in section:
        holder = getattr(holder, part)
    with pytest.raises(FrozenInstanceError):
        setattr(holder, name, 7)


def test_known_keys_can_all_be_set():
    assert {"seed", "n_jobs", "data.uri", "store.uri", "selection.folds"} <= set(known_keys())
    assert not set(known_keys()) & set(sections())
    assert set(sections()) < set(Settings.__dataclass_fields__)
