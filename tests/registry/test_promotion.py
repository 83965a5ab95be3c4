import pandas as pd
import pytest

from titanic_ml.errors import PromotionRefused
from titanic_ml.registry.promotion import promote


@pytest.fixture
def saved(new, save):
    def saved(probabilities, rows=(1, 2, 3)):
        table = pd.DataFrame({"id": rows, "row": rows, "y": [0, 1, 1], "repeat_1": probabilities})
        return new.open(save(new, out_of_fold=table))

    return saved


def test_the_first_is_the_champion_and_stays_it(new, saved):
    first = saved([0.1, 0.9, 0.9])
    assert promote(new, first, 0.0, force=False) == "the first champion"
    assert promote(new, first, 0.0, force=False) == "it was the champion already"


def test_worse_by_more_than_the_margin_is_refused_and_changes_nothing(new, saved):
    first, worse = saved([0.1, 0.9, 0.9]), saved([0.3, 0.7, 0.7])
    promote(new, first, 0.0, force=False)
    with pytest.raises(PromotionRefused, match="log loss 0.3567 against the champion's 0.1054 on"):
        promote(new, worse, 0.2, force=False)
    assert new.champion.version == first.name
    assert promote(new, worse, 0.3, force=False).endswith("margin 0.3")
    assert promote(new, first, 0.0, force=True) == "forced"


def test_without_shared_rows_only_force_promotes(new, saved):
    first, other = saved([0.1, 0.9, 0.9]), saved([0.1, 0.9, 0.9], (7, 8, 9))
    promote(new, first, 0.0, force=False)
    with pytest.raises(PromotionRefused, match=f"no rows in common with {first.name}"):
        promote(new, other, 0.0, force=False)
    assert promote(new, other, 0.0, force=True) == "forced"
