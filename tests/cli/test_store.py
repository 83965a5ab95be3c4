"""The store that the settings name."""

import pytest

from titanic_ml.cli.store import model_store
from titanic_ml.errors import SettingsError


def test_the_store_of_the_settings(tmp_path):
    assert model_store(None).uri == "models"
    assert model_store([f"store.uri={tmp_path}"]).uri == str(tmp_path)
    with pytest.raises(SettingsError, match="store.uri is empty"):
        model_store(["store.uri="])
