"""main.ipynb runs from top to bottom, is kept small, and has no logic of its own."""

import ast
import copy
import os
import re
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


def test_it_is_kept_without_execution_times(notebook):
    assert not [cell for cell in notebook.cells if "execution" in cell.metadata]


def printed(notebook) -> str:
    """All texts that the cells print or return, but for what differs from run to run."""
    texts = [
        out.get("text") or out.get("data", {}).get("text/plain", "") for out in outputs(notebook)
    ]
    text = re.sub(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}", "VERSION", "\n".join(texts))
    text = re.sub(r"\b0x[0-9a-f]+|\d+\.\d+ s\b", "#", text)
    return re.sub(r" +", " ", text)


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_it_runs_from_top_to_bottom_and_prints_what_is_committed(notebook, tmp_path, monkeypatch):
    """If this fails, the outputs are older than the code: `make notebook`, and commit it."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), path]).rstrip(os.pathsep))
    fresh = nbformat.from_dict(copy.deepcopy(notebook))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(fresh, timeout=600, kernel_name="python3", resources=resources).execute()
    assert not [output for output in outputs(fresh) if output.output_type == "error"]
    assert list((tmp_path / "models").glob("2*/manifest.json"))
    number = r"\d+(?:\.\d+)?"
    ours, theirs = printed(notebook), printed(fresh)
    assert re.sub(number, "#", theirs) == re.sub(number, "#", ours)
    figures = [[float(n) for n in re.findall(number, text)] for text in (theirs, ours)]
    assert figures[0] == pytest.approx(figures[1], abs=0.002)  # another machine's last digit
