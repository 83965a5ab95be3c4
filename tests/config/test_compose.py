"""Settings: defaults, overrides, and messages for wrong values."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from unittest import mock

import pytest
from omegaconf import OmegaConf

from titanic_ml.config.compose import _by_hydra, build, described, load_settings
from titanic_ml.config.layers import CONFIG_DIR
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import SettingsError
from titanic_ml.estimator.candidate import Candidate

REMOTE = {
    "TITANIC_DATA_URI": "s3://tables/train.csv",
    "TITANIC_STORE_URI": "s3://models",
    "TITANIC_PREDICTIONS_URI": "postgresql://ann:s3cret@host/db?table=predictions",
    "TITANIC_SIGNING_KEY": "s3cret key",
}

ON_REQUEST = {"extra_trees", "searched_vote"}  # not compared by default


@pytest.fixture(autouse=True)
def empty_place(tmp_path, monkeypatch):
    """No .env here, no variable of ours set, and none left set."""
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(os.environ):
        for name in REMOTE:
            os.environ.pop(name, None)
        yield


def get(settings: object, key: str) -> object:
    for name in key.split("."):
        settings = settings[name] if isinstance(settings, dict) else getattr(settings, name)
    return settings


def test_the_defaults_are_these():
    settings = load_settings()
    expected = {
        "env": "local",
        "seed": 0,
        "n_jobs": -1,
        "data.uri": "data/train.csv",
        "store.uri": "models",
        "selection.repeats": 3,
        "selection.folds": 5,
        "selection.inner_folds": 3,
        "selection.tolerance": 0.005,
        "evaluation.resamples": 500,
        "evaluation.confidence": 0.95,
        "promotion.margin": 0.005,
        "dataset.name": "titanic",
    }
    assert {key: get(settings, key) for key in expected} == expected


def test_the_default_candidates_are_all_that_conf_holds_but_one():
    names = {path.stem for path in (CONFIG_DIR / "estimator").iterdir()}
    assert set(load_settings().estimator) == names - ON_REQUEST


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("seed=7", "seed", 7),
        ("++seed=7", "seed", 7),
        ("seed= 7", "seed", 7),
        ("selection.repeats=9", "selection.repeats", 9),
        ("promotion.margin=1e-3", "promotion.margin", 0.001),
        ("selection=thorough", "selection.repeats", 10),
        ("estimator=svc", "estimator.svc.label", "support vectors"),
        ("estimator.svc.complexity=9", "estimator.svc.complexity", 9),
        (
            "estimator.logistic_regression.search.C=[2.0]",
            "estimator.logistic_regression.search.C",
            [2.0],
        ),
        ("dataset.columns.Age.maximum=99", "dataset.columns.Age.maximum", 99),
        ("store.uri=${env}/models", "store.uri", "local/models"),
        ("store.uri='a b'", "store.uri", "a b"),
        ('store.uri="a b"', "store.uri", "a b"),
        ("store.uri=${oc.env:NO_SUCH_VARIABLE,elsewhere}", "store.uri", "elsewhere"),
    ],
)
def test_an_override_sets_its_key(override, key, value):
    assert get(load_settings([override]), key) == value


def test_a_list_chooses_the_candidates():
    assert set(load_settings(["estimator=[majority,svc]"]).estimator) == {"majority", "svc"}


def test_the_last_override_wins():
    assert load_settings(["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/a/b",
        "s3://bucket/a?x=1&y=2",
        "postgresql+psycopg://me:p@ss=w?rd@host:5432/db",
        r"C:\models\new",
        "ends with a backslash\\",
        r"two\\ and a quote\'",
        "my models/x's",
        'say "models"',
        "a,b (c) #d ~e !f %20 é",
        "~/models",
        "$HOME/models",
    ],
)
def test_an_address_is_taken_as_it_is_typed(address):
    settings = load_settings([f"data.uri={address}", f"store.uri={address}"])
    assert [settings.data.uri, settings.store.uri] == [address, address]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seeds=7", "unknown setting seeds; did you mean seed?"),
        ("selection.fold=3", "unknown setting selection.fold; did you mean selection.folds?"),
        ("zzz=1", "unknown setting zzz; expected one of env, seed, n_jobs, "),
        ("+zzz=1", "unknown setting zzz; expected one of env, seed, n_jobs, "),
        ("store.signing_key=''", "store.signing_key is empty, expected a key, or null"),
        ("predictions.uri=''", "predictions.uri is empty, expected the address of a table"),
        ("seed=abc", "seed: Value 'abc' of type 'str' could not be converted to Integer"),
        ("seed=1.5", "seed: Value '1.5' of type 'float' could not be converted to Integer"),
        ("store.uri=null", "store.uri: Incompatible value 'None'"),
        ("data=mine.csv", "settings: "),
        ("estimator=[]", "estimator is empty, expected at least one candidate"),
        (
            "estimator=nope",
            "unknown estimator nope, expected one of extra_trees, gradient_boosting",
        ),
        ("estimator=[svc,nope]", "unknown estimator nope, expected one of extra_trees"),
        ("dataset=nope", "unknown dataset nope, expected one of titanic"),
        ("env=nope", "unknown env nope, expected one of local, remote"),
        ("seed", "an override is 'seed', expected a name and a value, such as seed=7"),
        ("store.uri='a", "malformed override: "),
        (
            "b/a.csv",
            "an override is 'b/a.csv', expected a name and a value, such as seed=7",
        ),
        ("postgresql://u:pw@h/db", "an override is 'postgresql://u:***@h/db', expected a name"),
        ("~seed", "seed is left out, expected a value, as in seed=…"),
        ("~selection", "selection.repeats is left out, expected a value"),
        ("~dataset", "dataset is left out, expected one, as in dataset=titanic"),
        ("=3", "an override is '=3', expected a name and a value, such as seed=7"),
        ("", "an override is '', expected a name and a value, such as seed=7"),
    ],
)
def test_a_wrong_override_reports_what_was_expected(override, message):
    with pytest.raises(SettingsError) as caught:
        load_settings([override])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_missing_variables_are_all_named_at_once():
    with pytest.raises(SettingsError) as caught:
        load_settings(["env=remote"])
    for words in (*REMOTE, "export them", ".env"):
        assert words in str(caught.value)


def test_only_what_is_missing_is_named(monkeypatch):
    for name, value in REMOTE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TITANIC_STORE_URI")
    monkeypatch.setenv("TITANIC_SIGNING_KEY", " ")  # as good as none
    missing = "not set in the environment: TITANIC_SIGNING_KEY, TITANIC_STORE_URI;"
    with pytest.raises(SettingsError, match=missing):
        load_settings(["env=remote"])


def test_addresses_come_from_the_environment():
    os.environ.update(REMOTE)
    settings = load_settings(["env=remote"])
    found = [settings.data.uri, settings.store.uri, settings.predictions.uri]
    assert [settings.env, *found, settings.store.signing_key] == ["remote", *REMOTE.values()]


def test_a_variable_enables_tracking():
    os.environ.update(REMOTE)
    assert load_settings(["env=remote"]).tracking.uri is None
    os.environ["TITANIC_TRACKING_URI"] = "https://mlflow.example.org"
    tracking = load_settings(["env=remote"]).tracking
    assert (tracking.uri, tracking.name) == ("https://mlflow.example.org", "titanic")


def test_addresses_come_from_a_file_here_and_the_environment_wins():
    Path(".env").write_text("".join(f"{name}=of the file\n" for name in REMOTE))
    os.environ["TITANIC_STORE_URI"] = "of the environment"
    settings = load_settings(["env=remote"])
    assert settings.data.uri == "of the file"
    assert settings.store.uri == "of the environment"


def test_a_remote_store_is_signed():
    os.environ.update(REMOTE)
    with pytest.raises(SettingsError, match="store.signing_key is null, expected a key: env=remo"):
        load_settings(["env=remote", "store.signing_key=null"])


def test_an_override_wins_over_an_environment():
    os.environ.update(REMOTE)
    assert load_settings(["env=remote", "store.uri=here"]).store.uri == "here"


def test_settings_become_plain_values():
    values = asdict(load_settings())
    assert OmegaConf.to_container(OmegaConf.create(values)) == values


def test_every_key_in_conf_is_read_by_something():
    """Settings, schemas and candidates refuse a key that they do not know, so this reads all."""
    settings = load_settings()
    known = {
        "name",
        "id",
        "target",
        "baseline",
        "features",
        "columns",
        "groups",
        "slices",
        "labels",
        "example",
        "row_name",
    }
    known |= {"about", "intended_use", "not_for", "ethics"}
    assert set(settings.dataset) == known
    DatasetSpec.from_dict(settings.dataset)
    for name, node in settings.estimator.items():
        Candidate.from_dict(name, build(node))
    for file in (CONFIG_DIR / "selection").glob("*.yaml"):
        loaded = load_settings([f"selection={file.stem}"])
        assert asdict(loaded.selection) == OmegaConf.to_object(OmegaConf.load(file))


def test_a_candidate_refuses_a_key_that_it_does_not_know():
    node = load_settings(["+estimator.svc.colour=red"]).estimator["svc"]
    with pytest.raises(SettingsError, match="estimator.svc: .*colour"):
        Candidate.from_dict("svc", build(node))


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "no.such.module.Thing"},
        {"_target_": "sklearn.svm.SVC", "colour": "red"},
    ],
)
def test_what_cannot_be_built_is_named(node):
    with pytest.raises(SettingsError, match=f"can't build {node['_target_']}: "):
        build(node)


def test_what_is_built_holds_plain_values():
    svc = build({"_target_": "sklearn.svm.SVC", "class_weight": {0: 1, 1: 2}})
    assert type(svc.class_weight) is dict


def test_loading_settings_writes_nothing(tmp_path):
    load_settings()
    assert not list(tmp_path.iterdir())


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_settings_are_composed_in_many_threads_and_inside_a_program_that_uses_hydra():
    from hydra import compose, initialize_config_dir

    def seed(number: int) -> int:
        return load_settings([f"seed={number}"]).seed

    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIG_DIR)):
        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(seed, range(12))) == list(range(12))
        assert compose("config", overrides=["seed=7"]).seed == 7  # the program's own still works


def test_a_file_that_is_changed_is_read_again(tmp_path):
    (tmp_path / "mine").mkdir()
    for seed in (3, 45):
        (tmp_path / "mine/config.yaml").write_text(f"seed: {seed}\n")
        assert load_settings(config_dir=tmp_path / "mine").seed == seed
    folder = shutil.copytree(CONFIG_DIR, tmp_path / "conf")
    for folds in (3, 17):
        (folder / "selection/quick.yaml").write_text(f"folds: {folds}\n")
        assert _by_hydra(folder, ["selection=quick"])[0].selection.folds == folds


def test_what_hydra_does_for_programs_is_no_setting():
    with pytest.raises(SettingsError, match="unknown setting hydra.run.dir"):
        load_settings(["hydra.run.dir=elsewhere"])


@pytest.mark.parametrize("word", ["seed={}", "data.uri=['{}", "selection={}", "n_jobs='{}'"])
def test_no_message_about_a_setting_reports_a_password(word):
    with pytest.raises(SettingsError) as caught:
        load_settings([word.format("postgresql://ann:s3cret@host/db")])
    assert "s3cret" not in str(caught.value)


def test_a_dataset_of_the_working_folder_is_found_and_names_its_candidates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf/dataset").mkdir(parents=True)
    local = "{data: a.csv, store: models/t, input: b.csv, output: c.csv, log: served/t/}"
    (tmp_path / "conf/dataset/t.yaml").write_text(
        f"name: t\ntarget: y\ncandidates: [majority, svc]\nlocal: {local}\n"
        "columns: {y: {kind: integer, allowed: [0, 1]}, a: {kind: number}}\nfeatures: {}\n"
    )
    found = load_settings(["dataset=t"])
    assert list(found.estimator) == ["majority", "svc"]
    assert (found.data.uri, found.store.uri, found.monitoring.log) == (
        "a.csv",
        "models/t",
        "served/t/",
    )
    assert (found.predictions.input, found.predictions.uri) == ("b.csv", "c.csv")
    assert list(load_settings(["dataset=t", "estimator=[vote]"]).estimator) == ["vote"]
    assert load_settings(["dataset=t", "store.uri=other"]).store.uri == "other"
    with pytest.raises(SettingsError, match="unknown dataset u, expected one of t, titanic"):
        load_settings(["dataset=u"])
    names = {setting.name: setting for setting in described(["dataset=t"])}
    assert names["dataset.columns.a.kind"].where == "dataset"


def test_a_folder_conf_of_something_else_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/config.yaml").write_text("unknown: 1\n")
    assert load_settings(["seed=77"]).seed == 77
