"""main.ipynb runs from top to bottom, is kept small, and has no logic of its own."""

import ast
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
PATH = ROOT / "main.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(PATH, as_version=4)


def cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in cells(notebook) for output in cell.outputs]


def test_committed_outputs_are_whole_small_and_without_errors(notebook):
    assert PATH.stat().st_size < 300_000
    assert [cell.execution_count for cell in cells(notebook)] == list(
        range(1, len(cells(notebook)) + 1)
    )
    assert not [output for output in outputs(notebook) if output.output_type == "error"]


def test_it_has_no_logic_of_its_own(notebook):
    logic = ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.If
    for cell in cells(notebook):
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, logic)]


def test_it_runs_from_top_to_bottom(notebook, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), path]).rstrip(os.pathsep))
    # The same steps with fewer folds: the figures of the committed run are those of the default.
    quick = "'selection=quick', 'evaluation.resamples=20'"
    quick += ", 'estimator=[majority,one_column,logistic_regression]'"
    fresh = nbformat.from_dict(notebook.copy())
    sources = "\n".join(cell.source for cell in cells(fresh))
    assert sources.count("TitanicPipeline()") == 1
    for cell in cells(fresh):
        cell.source = cell.source.replace("TitanicPipeline()", f"TitanicPipeline({quick})")
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(fresh, timeout=300, kernel_name="python3", resources=resources).execute()
    assert not [output for output in outputs(fresh) if output.output_type == "error"]
    assert [path for path in (tmp_path / "models").iterdir() if path.is_dir()]
