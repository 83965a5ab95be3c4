"""The gate, and what it does when several promote at once."""

import re

import numpy as np
import pandas as pd
import pytest

from titanic_ml.errors import ModelNotFound, ModelRefused, PromotionRefused
from titanic_ml.evaluation.gate import mean_log_loss
from titanic_ml.registry import promotion
from titanic_ml.registry.aliases import Entry
from titanic_ml.registry.promotion import promote, reference_names
from titanic_ml.registry.store import ModelStore


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
    why = promote(new, worse, 0.3, force=False)
    assert re.search(r"on 3 rows, higher by 0\.2513 \(0\.\d+ to 0\.\d+\), margin 0\.3$", why)
    assert promote(new, first, 0.0, force=True) == "forced"
    assert promote(new, first, 0.0, force=True, note="a test") == "forced: a test"
    assert new.champion.history()[-1].why == "forced: a test"


def test_without_shared_rows_only_force_promotes(new, saved):
    first, other = saved([0.1, 0.9, 0.9]), saved([0.1, 0.9, 0.9], (7, 8, 9))
    promote(new, first, 0.0, force=False)
    with pytest.raises(PromotionRefused, match=f"no rows in common with {first.name}"):
        promote(new, other, 0.0, force=False)
    assert promote(new, other, 0.0, force=True) == "forced"


def test_who_finds_another_champion_than_it_was_compared_with_compares_again(
    new, saved, monkeypatch
):
    first, good, worse = (saved([p, 1 - p, 1 - p]) for p in (0.5, 0.1, 0.3))
    promote(new, first, 0.0, force=False)
    compare = promotion.compare_out_of_fold

    def overtaken(*tables: pd.DataFrame) -> object:
        found = compare(*tables)
        if new.champion.version == first.name:  # the comparison is done, and another is faster
            new.champion.point(good.name, "meanwhile")
        return found

    monkeypatch.setattr(promotion, "compare_out_of_fold", overtaken)
    with pytest.raises(PromotionRefused, match="log loss 0.3567 against the champion's 0.1054"):
        promote(new, worse, 0.0, force=False)
    assert [entry.version for entry in new.champion.history()] == [first.name, good.name]


def test_a_version_whose_manifest_was_damaged_since_it_was_read_is_never_promoted(new, saved):
    first, damaged = saved([0.1, 0.9, 0.9]), saved([0.1, 0.9, 0.9])
    promote(new, first, 0.0, force=False)
    new.objects.replace(f"{damaged.name}/manifest.json", b"{}")
    with pytest.raises(ModelRefused, match=f"{damaged.name}/manifest.json: damaged"):
        promote(new, damaged, 0.0, force=True)
    assert new.champion.version == first.name


@pytest.mark.parametrize("file", ["model.joblib", "baselines.joblib", "background.parquet"])
def test_a_version_with_a_damaged_file_is_never_promoted(new, saved, file):
    first, damaged = saved([0.1, 0.9, 0.9]), saved([0.1, 0.9, 0.9])
    promote(new, first, 0.0, force=False)
    new.objects.replace(f"{damaged.name}/{file}", b"other bytes")
    for force in (False, True):
        with pytest.raises(ModelRefused, match=f"{damaged.name}/{file}: not the file that was"):
            promote(new, damaged, 0.0, force=force)
    assert len(new.champion.history()) == 1


def test_a_rollback_to_a_damaged_version_is_refused(new, saved):
    first, second = saved([0.1, 0.9, 0.9]), saved([0.1, 0.9, 0.9])
    for version in (first, second):
        promote(new, version, 0.0, force=False)
    new.objects.delete([f"{first.name}/model.joblib"])
    with pytest.raises(ModelRefused, match=f"{first.name}/model.joblib: missing"):
        new.rollback()
    assert new.champion.version == second.name


def test_a_version_that_is_deleted_while_it_is_promoted_does_not_become_the_champion(
    new, saved, monkeypatch
):
    first, leaving, _ = (saved([0.1, 0.9, 0.9]) for _ in range(3))
    promote(new, first, 0.0, force=False)
    move = type(new.champion).move

    def deleted_before(alias, after, version, *rest):
        if version == leaving.name and new.holds(version):
            new.delete(version)
        return move(alias, after, version, *rest)

    monkeypatch.setattr(type(new.champion), "move", deleted_before)
    with pytest.raises(ModelNotFound, match=f"{leaving.name} was deleted meanwhile"):
        promote(new, leaving, 0.0, force=True)
    assert new.champion.version == first.name


def test_a_version_that_is_promoted_while_it_is_deleted_stays(new, saved, monkeypatch):
    first, chosen, _ = (saved([0.1, 0.9, 0.9]) for _ in range(3))
    promote(new, first, 0.0, force=False)
    delete = type(new.objects).delete

    def promoted_before(objects, names):
        if names == [f"{chosen.name}/manifest.json"] and new.champion.version == first.name:
            promote(new, chosen, 0.0, force=True)
        delete(objects, names)

    monkeypatch.setattr(type(new.objects), "delete", promoted_before)
    with pytest.raises(Exception, match=f"{chosen.name} is the champion, and stays"):
        new.delete(chosen.name)
    monkeypatch.undo()
    assert new.open("champion").name == chosen.name
    new.open("champion").check()


def blunted(step: int, rows: int = 400) -> pd.DataFrame:
    """Out-of-fold predictions that move closer to one half with each step."""
    random = np.random.default_rng(0)
    p = random.uniform(0.02, 0.98, rows)
    y = (random.uniform(size=rows) < p).astype(int)
    noise = np.random.default_rng(step + 1).normal(0, 0.05, rows)
    logit = np.log(p / (1 - p)) * 0.96**step + noise
    table = pd.DataFrame({"id": range(rows), "row": range(rows), "y": y})
    return table.assign(repeat_1=1 / (1 + np.exp(-logit)))


@pytest.mark.system
def test_fifty_promotions_within_the_margin_do_not_make_the_champion_worse(tmp_path, save):
    """Each version is worse than the one before by less than the margin."""
    store, margin = ModelStore(str(tmp_path / "models")), 0.01
    tables = [blunted(step) for step in range(50)]
    losses = [mean_log_loss(table) for table in tables]
    assert np.diff(losses).max() < margin and losses[-1] > losses[0] + 10 * margin
    promoted = []
    for table, loss in zip(tables, losses, strict=True):
        try:
            promote(store, store.open(save(store, out_of_fold=table)), margin, force=False)
            promoted.append(loss)
        except PromotionRefused as refused:
            assert re.search("on 400 rows, higher by .* margin of 0.01$", str(refused))
    assert 1 < len(promoted) < 50
    assert max(promoted) <= min(promoted) + margin


def entries(*moves: tuple[str, str]) -> list[Entry]:
    return [
        Entry(number, version, "", "", "", action, None, "")
        for number, (action, version) in enumerate(moves, start=1)
    ]


@pytest.mark.parametrize(
    ("moves", "names"),
    [
        ([("promote", "a")], ["a"]),
        ([("promote", "a"), ("promote", "b"), ("promote", "c")], ["c", "b", "a"]),
        ([("promote", "a"), ("promote", "b"), ("promote", "a")], ["a", "b"]),
        ([("promote", "a"), ("force", "b"), ("promote", "c")], ["c", "b"]),
        ([("promote", "a"), ("promote", "b"), ("rollback", "a")], ["a"]),
        (
            [("promote", "a"), ("promote", "b"), ("rollback", "a"), ("promote", "c")],
            ["c", "a"],
        ),
    ],
)
def test_a_version_is_compared_with_those_promoted_since_the_last_force_and_not_rolled_back(
    moves, names
):
    assert reference_names(entries(*moves)) == names


def test_a_damaged_earlier_champion_is_passed_over(new, saved):
    first, second, third = (saved([p, 1 - p, 1 - p]) for p in (0.1, 0.12, 0.14))
    for version in (first, second):
        promote(new, version, 0.03, force=False)
    with pytest.raises(PromotionRefused, match=f"that of {first.name}, the best so far"):
        promote(new, third, 0.03, force=False)
    new.objects.delete([f"{first.name}/out_of_fold.parquet"])
    assert "margin 0.03" in promote(new, third, 0.03, force=False)
