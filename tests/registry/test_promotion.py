import pandas as pd
import pytest

from titanic_ml.errors import PromotionRefused
from titanic_ml.registry.promotion import out_of_fold, promote
from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.tables import parquet

FACTS = {"estimator": "e", "threshold": 0.5, "metrics": {}, "data": {}, "settings": {}}


@pytest.fixture
def store(tmp_path):
    return ModelStore(str(tmp_path / "models"))


def saved(store, probabilities, rows=(1, 2, 3)):
    table = pd.DataFrame({"row": rows, "y": [0, 1, 1], "repeat_1": probabilities})
    return store.save("m", {"out_of_fold.parquet": parquet(table)}, FACTS, None)


def test_the_first_is_the_champion_and_stays_it(store):
    first = saved(store, [0.1, 0.9, 0.9])
    assert promote(store, first, 0.0, force=False) == "the first champion"
    assert promote(store, first, 0.0, force=False) == "it was the champion already"


def test_worse_by_more_than_the_margin_is_refused_and_changes_nothing(store):
    first, worse = saved(store, [0.1, 0.9, 0.9]), saved(store, [0.3, 0.7, 0.7])
    promote(store, first, 0.0, force=False)
    with pytest.raises(PromotionRefused, match="log loss 0.3567 against the champion's 0.1054 on"):
        promote(store, worse, 0.2, force=False)
    assert store.alias("champion").version == first
    assert promote(store, worse, 0.3, force=False).endswith("margin 0.3")
    assert promote(store, first, 0.0, force=True) == "forced"


def test_without_shared_rows_only_force_promotes(store):
    first, other = saved(store, [0.1, 0.9, 0.9]), saved(store, [0.1, 0.9, 0.9], (7, 8, 9))
    promote(store, first, 0.0, force=False)
    with pytest.raises(PromotionRefused, match="no rows in common"):
        promote(store, other, 0.0, force=False)
    assert list(out_of_fold(store, other)["row"]) == [7, 8, 9]
