"""The pipeline and the store that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from titanic_ml.pipeline import TitanicPipeline
    from titanic_ml.registry.store import ModelStore

# Imported in functions: pipeline and store, so that `--help` and completion are quick.


def open_pipeline(
    overrides: Sequence[str] | None,
    config_dir: str | Path | None = None,
    allow_mismatch: bool = False,
) -> TitanicPipeline:
    """Make the pipeline of the settings."""
    from titanic_ml.pipeline import TitanicPipeline

    return TitanicPipeline(*overrides or (), config_dir=config_dir, allow_mismatch=allow_mismatch)


def model_store(
    overrides: Sequence[str] | None, config_dir: str | Path | None = None
) -> ModelStore:
    """Open the store of the settings without a pipeline."""
    from titanic_ml.config.compose import load_settings
    from titanic_ml.registry.store import ModelStore

    store = load_settings(overrides or (), config_dir).store
    return ModelStore(store.uri, store.signing_key)
