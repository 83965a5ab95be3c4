"""`config`: the settings, and where each comes from."""

from __future__ import annotations

import json

from titanic_ml.cli.config import settings_page
from titanic_ml.config.compose import Setting


def test_a_line_a_setting(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("config", "seed=7", "estimator=[majority,svc]", "estimator.svc.complexity=9")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    assert lines[0] == "SETTING VALUE FROM"
    assert "seed 7 override: seed" in lines
    assert "store.uri models default: conf/env/local.yaml" in lines
    assert "estimator majority, svc --all shows each value" in lines
    assert "estimator.svc.complexity 9 override: estimator.svc.complexity" in lines
    assert not [line for line in lines if line.startswith("dataset.columns")]
    everything = run("config", "--all").out
    assert "dataset.columns.Age.maximum" in everything and len(everything) > len(done.out)


def test_for_a_program(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.yaml").write_text("seed: 5\n")
    for words in (["--config-dir", "mine"], []):
        rows = json.loads(run("config", "--json", *words).out)
        (seed,) = (row for row in rows if row["name"] == "seed")
        assert seed == {
            **{"name": "seed", "value": 5, "source": "file", "where": "mine/config.yaml"}
        }
        monkeypatch.setenv("TITANIC_CONFIG_DIR", "mine")


def test_what_is_missing_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("config", "env=remote")
    assert (done.code, done.out) == (2, "")
    missing = ("DATA_URI", "PREDICTIONS_URI", "SIGNING_KEY", "STORE_URI")
    names = ", ".join(f"TITANIC_{name}" for name in missing)
    assert (
        done.err
        == f"Error: not set in the environment: {names}; export them, or write them "
        + ("to .env\n")
    )


def test_columns_stand_below_each_other():
    settings = [
        Setting("dataset.name", "titanic", "default", "conf/dataset/titanic.yaml"),
        Setting("estimator.svc.label", "support vectors", "file", "mine/estimator/svc.yaml"),
        Setting("seed", 0, "default", "conf/config.yaml"),
    ]
    lines = settings_page(settings).splitlines()
    column = lines[0].index("FROM")
    assert [line[column:] for line in lines[1:]] == [
        "--all shows each value",
        "--all shows each value",
        "file: mine/estimator/svc.yaml",
        "default: conf/config.yaml",
    ]
