"""What several tests start from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
QUICK = (
    "selection.repeats=1",
    "selection.folds=2",
    "selection.inner_folds=2",
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
def quick() -> tuple[str, ...]:
    """Settings with which training takes a second, on the project's own table."""
    return (f"data.uri={ROOT / 'data' / 'train.csv'}", *QUICK)


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
    from titanic_ml.cli import main

    def run(*words: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        return Done(int(caught.value.code or 0), *capsys.readouterr())

    return run
