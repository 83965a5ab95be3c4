import numpy as np
import pandas as pd
import pytest

from titanic_ml.training.stability import stability_of_choice


def losses(rows=300, seed=0, **means):
    """Row losses of candidates with these means, with noise of their own."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({name: mean + random.normal(0, 0.5, rows) for name, mean in means.items()})


def test_a_clear_winner_is_chosen_always_and_costs_nothing():
    found = stability_of_choice(losses(a=0.3, b=0.9), "a", {"a": 1, "b": 1}, 0.005, seed=0)
    assert found.shares == {"a": 1.0, "b": 0.0}
    assert found.nested == found.own and found.optimism == 0


def test_the_choice_among_equals_is_unstable_and_optimistic():
    """The least of ten equal candidates looks better than it is."""
    names = [f"c{number}" for number in range(10)]
    table = losses(**dict.fromkeys(names, 0.5))
    best = str(table.mean().idxmin())
    found = stability_of_choice(table, best, dict.fromkeys(names, 1), 0.0, seed=0)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert max(found.shares.values()) < 0.9
    assert found.own == pytest.approx(table[best].mean())
    # The truth is 0.5: the estimate with the choice is nearer to it than the least of the means.
    assert found.own < 0.48 < found.nested < 0.53
    assert found.optimism == pytest.approx(found.nested - found.own)


def test_the_rule_prefers_simpler_candidates_in_the_resamples_too():
    table = losses(complex=0.4, simple=0.4)
    found = stability_of_choice(table, "simple", {"complex": 3, "simple": 1}, 1.0, seed=0)
    assert found.shares == {"complex": 0.0, "simple": 1.0}


def test_the_seed_governs_the_resamples():
    table = losses(a=0.5, b=0.5)
    one, again, other = (
        stability_of_choice(table, "a", {"a": 1, "b": 1}, 0.0, seed=seed) for seed in (1, 1, 2)
    )
    assert one == again != other
