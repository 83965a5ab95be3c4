import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import SettingsError
from titanic_ml.registry import provenance
from titanic_ml.training.checkpoint import Checkpoint


def test_it_is_a_mapping_that_outlives_the_process(tmp_path):
    kept = Checkpoint.for_run(str(tmp_path / "deep" / "scratch"), seed=1)
    assert (len(kept), list(kept), "fold 1" in kept) == (0, [], False)
    kept["fold 1"], kept["all rows"] = {"loss": 0.5}, 7
    again = Checkpoint.for_run(str(tmp_path / "deep" / "scratch"), seed=1)
    assert dict(again) == {"fold 1": {"loss": 0.5}, "all rows": 7}
    del again["fold 1"]
    assert list(kept) == ["all rows"]
    for name in ("fold 1", "never"):
        with pytest.raises(KeyError):
            kept[name]
        with pytest.raises(KeyError):
            del kept[name]


def test_other_facts_are_another_run(tmp_path):
    kept = Checkpoint.for_run(str(tmp_path), seed=1, data="a")
    assert Checkpoint.for_run(str(tmp_path), seed=2, data="a").folder != kept.folder
    assert Checkpoint.for_run(str(tmp_path), data="a", seed=1).folder == kept.folder


def test_other_code_or_libraries_are_another_run(tmp_path, quick, dataset, monkeypatch):
    pipeline = TitanicPipeline(*quick, f"scratch={tmp_path}")
    kept = pipeline._checkpoint(dataset).folder
    monkeypatch.setattr(provenance, "source_hash", lambda: "other code")
    assert pipeline._checkpoint(dataset).folder != kept
    monkeypatch.undo()
    monkeypatch.setattr(provenance, "libraries", lambda: {"scikit-learn": "0.1"})
    assert pipeline._checkpoint(dataset).folder != kept
    monkeypatch.undo()
    assert pipeline._checkpoint(dataset).folder == kept


def test_what_is_whole_is_cleared(tmp_path):
    kept = Checkpoint.for_run(str(tmp_path), seed=1)
    kept.clear()
    kept["fold 1"] = 1
    kept.clear()
    assert not kept.folder.exists() and tmp_path.exists()


def test_half_a_file_is_never_a_result(tmp_path):
    kept = Checkpoint.for_run(str(tmp_path), seed=1)

    class Refuses:
        def __reduce__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept["fold 1"] = Refuses()
    assert dict(kept) == {}
    kept["fold 1"] = 1
    (kept.folder / "fold-1.joblib").write_bytes(b"")
    assert "fold 1" not in kept


def test_a_folder_that_cannot_be_made_is_the_setting_at_fault(tmp_path):
    (tmp_path / "file").touch()
    kept = Checkpoint.for_run(str(tmp_path / "file"), seed=1)
    with pytest.raises(SettingsError, match="scratch is .*file.*: .*; name a folder"):
        kept["fold 1"] = 1


TRAIN = """
import sys
from titanic_ml import TitanicPipeline

class Stop(Exception):
    pass

def stop(done, total):
    print(done, total, flush=True)
    if done == int(sys.argv[1]):
        raise Stop

pipeline = TitanicPipeline(*sys.argv[2:])
try:
    training = pipeline.train(progress=stop)
    print("whole", training.evaluation.estimates["log_loss"].value)
except Stop:
    pass
"""


def test_a_training_goes_on_from_what_it_had_finished(tmp_path, quick):
    def run(stop: int, name: str) -> list[str]:
        words = [str(stop), *quick, f"store.uri={tmp_path / name}", f"scratch={tmp_path / name}-s"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [sys.executable, "-c", TRAIN, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split("\n")[:-1]

    first = run(4, "cut")
    assert first[0] == "0 7" and first[-1] == "4 7"  # three folds, one of the strangers'
    assert not (tmp_path / "cut").exists()
    second = run(-1, "cut")
    assert second[0] == "3 7"  # the folds are there already
    assert second[1] in ("4 7", "3 7") and second[2] != "1 7"
    whole = run(-1, "whole")
    assert whole[0] == "0 7" and second[-1] == whole[-1]
    versions = [
        json.loads(next((tmp_path / name).glob("2*/evaluation.json")).read_text())
        for name in ("cut", "whole")
    ]
    for version in versions:
        del version["version"], version["time"]
        for candidate in version["candidates"]:
            del candidate["fit_seconds"]
    assert versions[0] == versions[1]
    assert not any((tmp_path / "cut-s").iterdir())
