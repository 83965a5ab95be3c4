"""The pipeline and the store that the settings name."""

import pytest

from titanic_ml.cli.store import model_store, open_pipeline
from titanic_ml.errors import SettingsError


def test_the_store_of_the_settings(tmp_path):
    assert model_store(None).uri == "models"
    assert model_store([f"store.uri={tmp_path}"]).uri == str(tmp_path)
    with pytest.raises(SettingsError, match="store.uri is empty"):
        model_store(["store.uri="])


def test_the_pipeline_of_the_settings(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 5\n")
    pipeline = open_pipeline(["store.signing_key=a key"], tmp_path, allow_mismatch=True)
    assert pipeline.settings.seed == 5
    assert (pipeline.store.key, pipeline.store.allow_mismatch) == ("a key", True)
    assert open_pipeline(None).store.allow_mismatch is False
