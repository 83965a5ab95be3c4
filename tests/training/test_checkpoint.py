import json
import os
import stat

import numpy as np
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import SettingsError
from titanic_ml.registry.store import ModelStore
from titanic_ml.training import checkpoint
from titanic_ml.training.checkpoint import Checkpoint
from titanic_ml.workflows.training import TrainingWorkflow


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


@pytest.mark.posix
def test_it_is_its_users_alone(tmp_path):
    kept = Checkpoint.for_run(str(tmp_path / "scratch"), seed=1)
    kept.check_writable()
    assert not kept.folder.exists()  # there is nothing in it yet
    kept["fold 1"] = 1
    kept.check_writable()
    for folder in (tmp_path / "scratch", kept.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept.folder.chmod(0o777)
    kept["fold 2"] = 2
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700


def test_the_same_training_that_is_whole_first_removes_the_folder_and_no_harm_is_done(
    tmp_path, monkeypatch
):
    kept = Checkpoint.for_run(str(tmp_path), seed=1)
    write, removed = checkpoint.write_file, []

    def removed_before(path, data):
        if len(removed) < 3:
            removed.append(kept.clear())
        write(path, data)

    monkeypatch.setattr(checkpoint, "write_file", removed_before)
    kept["fold 1"] = 1
    assert len(removed) == 3 and dict(kept) == {"fold 1": 1}


class Planted:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.fixture
def planted(tmp_path):
    """A checkpoint with a file that would run code."""
    kept = Checkpoint.for_run(str(tmp_path / "scratch"), seed=1)
    kept["fold 1"] = Planted()
    return kept


@pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can give a file to another user"
)
def test_what_another_user_put_there_is_never_loaded(planted, tmp_path):
    theirs = planted.folder / "fold-1.joblib"
    os.chown(theirs, 65534, 65534)
    with pytest.raises(KeyError):
        planted["fold 1"]
    ours = planted.folder / "fold-2.joblib"
    ours.symlink_to(theirs)
    with pytest.raises(KeyError):
        planted["fold 2"]
    os.chown(theirs, 0, 0)
    os.lchown(ours, 65534, 65534)
    with pytest.raises(KeyError):
        planted["fold 2"]
    for folder in (planted.folder, planted.folder.parent):
        os.chown(folder, 65534, 65534)
        for call in (planted.check_writable, lambda: planted.__setitem__("fold 3", 3)):
            with pytest.raises(SettingsError, match="is another user's, who could have put code"):
                call()
        os.chown(folder, 0, 0)
    os.chown(planted.folder, 65534, 65534)
    with pytest.raises(KeyError):
        planted["fold 1"]


@pytest.mark.parametrize("damage", [b"", b"{", b"\x80\x04", b"cnone\nThing\n.", b"x" * 5000])
def test_a_damaged_file_is_computed_again(tmp_path, damage, caplog):
    kept = Checkpoint.for_run(str(tmp_path), seed=1)
    kept["fold 1"] = 1
    (kept.folder / "fold-1.joblib").write_bytes(damage)
    with pytest.raises(KeyError):
        kept["fold 1"]
    assert "fold-1.joblib is damaged, so it is computed again" in caplog.text


def test_a_scratch_that_cannot_be_written_is_reported_before_the_work(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(TrainingWorkflow, "choose", lambda *words: 1 / 0)
    (tmp_path / "file").touch()
    pipeline = TitanicPipeline(*quick, f"scratch={tmp_path / 'file'}", f"store.uri={tmp_path}/m")
    with pytest.raises(SettingsError, match="scratch is .*file: .*; name a folder to write to"):
        pipeline.train()
    assert not (tmp_path / "m").exists()


def test_a_folder_that_cannot_be_made_is_the_setting_at_fault(tmp_path):
    (tmp_path / "file").touch()
    kept = Checkpoint.for_run(str(tmp_path / "file"), seed=1)
    with pytest.raises(SettingsError, match="scratch is .*file.*: .*; name a folder"):
        kept["fold 1"] = 1


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_a_training_continues_from_what_it_had_finished(tmp_path, quick, trained, dataset):
    class Stop(Exception):
        pass

    def train(last: int) -> list[int]:
        told = []

        def progress(done: int, total: int, stage: str) -> None:
            told.append(done)
            if done == last:
                raise Stop

        uri, scratch = (tmp_path / name for name in ("models", "scratch"))
        pipeline = TitanicPipeline(*quick, f"store.uri={uri}", f"scratch={scratch}")
        try:
            pipeline.train(progress=progress)
        except Stop:
            assert not uri.exists()
        return list(dict.fromkeys(told))

    assert train(12) == [0, 3, 6, 9, 12]  # all rows and two folds; one of the two grouped ones
    assert train(-1)[:3] == [9, 12, 15]  # what was finished is there already
    assert not any((tmp_path / "scratch").iterdir())
    cut, whole = (ModelStore(str(uri)).open("latest") for uri in (tmp_path / "models", trained))
    models = [version.model.predict_proba(dataset.X) for version in (cut, whole)]
    assert np.array_equal(*models)
    plain = [json.loads(version.facts) for version in (cut, whole)]
    for facts in plain:
        del facts["origin"], facts["evaluation"]["version"], facts["grouped"]["version"]
        for candidate in facts["candidates"]:
            del candidate["fit_seconds"]
    assert plain[0] == plain[1]
