"""What several tests start from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from titanic_ml.config.compose import build, load_settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.schema import Schema
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures
from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[1]
QUICK = (
    "selection.repeats=1",
    "selection.folds=2",
    "selection.inner_folds=2",
    "selection.significance=0.4",  # two folds have no power: else the majority would win
    "evaluation.resamples=20",
    "estimator=[majority,one_column,logistic_regression]",
    "n_jobs=1",
)


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def quick(tmp_path_factory) -> tuple[str, ...]:
    """Settings with which training takes seconds, on the project's own table."""
    scratch = tmp_path_factory.mktemp("scratch")
    return (f"data.uri={ROOT / 'data' / 'train.csv'}", f"scratch={scratch}", *QUICK)


@pytest.fixture(scope="session")
def trained(tmp_path_factory, quick) -> Path:
    """A store with one version, the champion. Tests that write to a store take `store`."""
    from titanic_ml import TitanicPipeline

    folder = tmp_path_factory.mktemp("trained") / "models"
    TitanicPipeline(f"store.uri={folder}", *quick).train()
    return folder


@pytest.fixture
def store(trained, tmp_path) -> Path:
    """A copy of `trained` of one's own."""
    return shutil.copytree(trained, tmp_path / "models")


@pytest.fixture
def run(capsys) -> Callable[..., Done]:
    """Run a command in this process."""
    from titanic_ml.cli.app import main

    def run(*words: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        return Done(int(caught.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def settings():
    return load_settings()


@pytest.fixture(scope="session")
def schema(settings):
    return Schema.from_dict(settings.dataset)


@pytest.fixture(scope="session")
def _train_table():
    return read_table(str(ROOT / "data/train.csv"))


@pytest.fixture(scope="session")
def _test_table():
    return read_table(str(ROOT / "data/test.csv"))


@pytest.fixture
def train_frame(_train_table) -> pd.DataFrame:
    return _train_table.copy()


@pytest.fixture
def test_frame(_test_table) -> pd.DataFrame:
    return _test_table.copy()


@pytest.fixture(scope="session")
def dataset(_train_table, schema) -> Dataset:
    return Dataset.from_frame(_train_table, schema, "train.csv")


@pytest.fixture(scope="session")
def unlabelled(_test_table, schema) -> Dataset:
    return Dataset.from_frame(_test_table, schema, "test.csv", with_target=False)


@pytest.fixture(scope="session")
def candidates(settings) -> dict[str, Candidate]:
    return {
        name: Candidate.from_dict(name, build(node)) for name, node in settings.estimator.items()
    }


@pytest.fixture(scope="session")
def fitted(candidates, dataset):
    """The logistic regression on all of train.csv, as a Pipeline."""
    preprocessor = build_preprocessor(TitanicFeatures())
    logistic = candidates["logistic_regression"]
    return logistic.fit_pipeline(preprocessor, {"C": 0.3}, 0, dataset.X, dataset.y)
