"""A user's files over ours, and where each value comes from."""

from __future__ import annotations

import os
from unittest import mock

import pytest
from omegaconf import OmegaConf

from titanic_ml.config.compose import described, load_settings
from titanic_ml.config.layers import flat, merged, values_of
from titanic_ml.errors import SettingsError


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write files of a user's folder, and give it."""
    monkeypatch.chdir(tmp_path)

    def write(**files: str):
        for name, text in files.items():
            path = tmp_path / "mine" / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "mine"

    with mock.patch.dict(os.environ):
        yield write


def test_a_file_says_no_more_than_what_differs(write):
    mine = write(
        config="seed: 5\nevaluation: {resamples: 9}\n",
        selection__standard="folds: 4\n",
        env__local="store: {uri: elsewhere}\n",
        estimator__svc="svc: {complexity: 9}\n",
    )
    ours, theirs = load_settings(), load_settings(config_dir=mine)
    assert (theirs.seed, theirs.evaluation.resamples, theirs.selection.folds) == (5, 9, 4)
    assert theirs.store.uri == "elsewhere" and theirs.data == ours.data
    assert theirs.selection.repeats == ours.selection.repeats
    assert theirs.evaluation.confidence == ours.evaluation.confidence
    assert theirs.estimator["svc"] == {**ours.estimator["svc"], "complexity": 9}
    assert load_settings(["seed=6", "selection=quick"], mine).seed == 6


def test_a_group_may_have_more_files_and_the_defaults_others(write):
    mine = write(
        config="defaults: [{dataset: titanic}, {selection: tiny}, {estimator: [majority, small]},"
        " _self_, {env: local}]\n",
        selection__tiny="repeats: 1\nfolds: 2\ninner_folds: 2\ntolerance: 0.1\n"
        "threshold_metric: f1\n",
        estimator__small="small: {label: small, complexity: 1, estimator: {_target_: x.Y}}\n",
        env__staging="# @package _global_\nenv: staging\ndata: {uri: a.csv}\nstore: {uri: b,"
        " signing_key: null}\npredictions: {uri: null}\n",
    )
    settings = load_settings(config_dir=mine)
    assert settings.selection.threshold_metric == "f1" and list(settings.estimator) == [
        "majority",
        "small",
    ]
    staging = load_settings(["env=staging"], mine)
    assert (staging.env, staging.data.uri) == ("staging", "a.csv")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"config": "sed: 5\n"}, r"unknown setting sed in .*mine/config.yaml; did you mean seed\?"),
        (
            {"selection__standard": "fold: 5\n"},
            r"unknown setting selection.fold in .*/standard.yaml; did you mean selection.folds\?",
        ),
        ({"config": "seed: abc\n"}, r"seed in .*mine/config.yaml: Value 'abc' of type 'str' could"),
        ({"config": "seed: [\n"}, r"mine/config.yaml: can't be read: "),
        ({"config": "- a\n"}, r"mine/config.yaml: holds a list, expected names and values"),
        ({"selectoin__quick": "folds: 2\n"}, r"unknown group selectoin; did you mean selection\?"),
        ({"settings": "seed: 2\n"}, r"mine/settings.yaml: expected config.yaml, or a file in the"),
    ],
)
def test_a_wrong_file_is_named_with_the_nearest_right_name(write, files, message):
    mine = write(**files)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(config_dir=mine)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="--config-dir .*none: no such folder"):
        load_settings(config_dir=tmp_path / "none")


def test_our_files_are_never_changed_and_nothing_is_left(write, tmp_path):
    with merged(write(config="seed: 5\n")) as folder:
        assert values_of(folder / "config.yaml")["seed"] == 5
    assert not folder.exists() and load_settings().seed == 0


def by_name(overrides=(), config_dir=None):
    return {one.name: one for one in described(overrides, config_dir)}


def test_each_setting_says_where_it_comes_from(write, monkeypatch):
    mine = write(config="promotion: {margin: 0.5}\n", selection__quick="repeats: 2\n")
    found = by_name(["seed=7", "selection=quick"], mine)
    told = {name: (one.value, one.source) for name, one in found.items()}
    assert told["seed"] == (7, "override")
    assert told["promotion.margin"] == (0.5, "file")
    assert told["evaluation.resamples"] == (500, "default")
    assert told["selection.repeats"] == (2, "override")
    assert told["dataset.name"] == ("titanic", "default")
    assert found["promotion.margin"].where == str(mine / "config.yaml")
    assert found["data.uri"].where == "conf/env/local.yaml"
    assert by_name(["dataset.columns.Age.maximum=99"])["dataset.columns.Age.maximum"].source == (
        "override"
    )


def test_what_comes_from_the_environment_says_so_and_secrets_are_masked(write, tmp_path):
    write()
    os.environ |= {
        "TITANIC_STORE_URI": "s3://bucket/models",
        "TITANIC_PREDICTIONS_URI": "postgresql://ann:s3cret@host/db?table=t",
        "TITANIC_SIGNING_KEY": "s3cret",
    }
    (tmp_path / ".env").write_text("TITANIC_DATA_URI=sqlite:///a.db?table=t\n")
    found = by_name(["env=remote"])
    assert (found["store.uri"].source, found["store.uri"].where) == (
        *("environment", "TITANIC_STORE_URI"),
    )
    assert found["data.uri"].where == "TITANIC_DATA_URI in .env"
    assert found["store.signing_key"].value == "***"
    assert found["predictions.uri"].value == "postgresql://ann:***@host/db?table=t"
    assert "s3cret" not in str(found)


def test_it_describes_what_is_loaded(write):
    mine = write(config="seed: 5\n", estimator__svc="svc: {complexity: 9}\n")
    values = {name: one.value for name, one in by_name((), mine).items()}
    loaded = OmegaConf.to_container(OmegaConf.structured(load_settings(config_dir=mine)))
    assert values == flat(loaded)
