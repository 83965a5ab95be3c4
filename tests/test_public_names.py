"""Public names of the package."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import titanic_ml
from titanic_ml import errors, pipeline


def test_the_public_names_are_these():
    assert titanic_ml.__all__ == ["TitanicError", "TitanicPipeline", "__version__"]
    assert titanic_ml.TitanicError is errors.TitanicError
    assert titanic_ml.TitanicPipeline is pipeline.TitanicPipeline


def test_the_version_is_that_of_pyproject():
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    assert titanic_ml.__version__ == pyproject["project"]["version"]


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'titanic_ml' has no attribute 'TitanicPipelin'"):
        titanic_ml.TitanicPipelin
