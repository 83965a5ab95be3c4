"""Rules beyond the contracts of import-linter (pyproject.toml; `make lint` checks those).

Importing the package does nothing, and each module has a docstring and a test file of its name.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import titanic_ml

grimp = pytest.importorskip("grimp", reason="of the group lint, which is not installed")

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "titanic_ml"
ANYWHERE = {"numpy", "pandas", "scipy", "sklearn", "joblib", "threadpoolctl"}
PATHS = [ROOT / "main.py", *sorted(PACKAGE.rglob("*.py"))]
TREES = {path: ast.parse(path.read_text()) for path in PATHS}


def test_the_contracts_name_every_vendor_that_is_imported():
    graph = grimp.build_graph("titanic_ml", include_external_packages=True, cache_dir=None)
    found = {name for name in graph.modules if not name.startswith("titanic_ml")}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (named,) = (c["forbidden_modules"] for c in contracts["contracts"] if c["type"] == "forbidden")
    assert found - sys.stdlib_module_names - ANYWHERE == set(named)


def test_main_imports_the_command_line_alone():
    kinds = (ast.Import, ast.ImportFrom)
    imports = [ast.unparse(n) for n in ast.walk(TREES[ROOT / "main.py"]) if isinstance(n, kinds)]
    assert imports == ["from titanic_ml.cli.start import main"]


def test_no_import_is_relative():
    for path, tree in TREES.items():
        assert not any(getattr(node, "level", 0) for node in ast.walk(tree)), path


@pytest.mark.parametrize("name", ["cli", "registry", "storage", "config"])
def test_packages_that_must_be_imported_quickly_import_nothing(name):
    (docstring,) = TREES[PACKAGE / name / "__init__.py"].body
    assert isinstance(docstring, ast.Expr)


def test_every_module_has_a_docstring_and_a_test_file_of_its_name():
    for path, tree in TREES.items():
        assert ast.get_docstring(tree), path
        if path.stem not in ("__init__", "__main__", "main"):
            tests = ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
            assert tests.is_file(), path


def test_importing_a_module_runs_no_statement_with_effects():
    """At the top level stand imports, definitions, assignments and the commands' registration."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    kinds += (ast.If, ast.Assign, ast.AnnAssign, ast.AugAssign)
    for path, tree in TREES.items():
        for node in tree.body[1:]:
            registers = isinstance(node, ast.Expr) and ast.unparse(node).startswith("app.add_typer")
            assert isinstance(node, kinds) or registers, f"{path}: {ast.unparse(node)}"


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_importing_the_package_does_nothing(tmp_path):
    code = """
import json, os, sys
before = dict(os.environ), sorted(os.listdir())
import titanic_ml
same = (dict(os.environ), sorted(os.listdir())) == before
print(json.dumps([same, sorted(sys.modules)]))
"""
    (tmp_path / ".env").write_text("SET_BY_A_FILE=1\n")
    done = run("-c", code, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    same, modules = json.loads(done.stdout)
    assert same
    assert not {"pandas", "numpy", "sklearn", "hydra", "typer"} & set(modules)


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["train", "--help"], ["models", "list", "--help"]]
)
def test_help_imports_neither_pandas_nor_scikit_learn(tmp_path, words):
    done = run("-X", "importtime", str(ROOT / "main.py"), *words, folder=tmp_path)
    modules = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "typer" in modules
    assert not {"pandas", "numpy", "sklearn", "hydra", "omegaconf", "pyarrow"} & modules
    assert not list(tmp_path.iterdir())


def test_the_version_of_the_tests_is_the_package_under_test():
    assert Path(titanic_ml.__file__).parent == PACKAGE


FUNCTIONS = [
    (path, node)
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
]


def test_no_body_is_longer_than_40_lines():
    def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        first, *more = node.body
        if ast.get_docstring(node) and more:
            first = more[0]
        return node.end_lineno - first.lineno + 1

    long = [f"{path.name}: {node.name}" for path, node in FUNCTIONS if length(node) > 40]
    assert not long


def test_an_import_inside_a_function_has_a_reason():
    """A comment behind or above it, or `# Imported in functions: …` for the whole module."""
    without = []
    for path, node in FUNCTIONS:
        text = path.read_text()
        lines = text.splitlines()
        for one in ast.walk(node):
            if isinstance(one, (ast.Import, ast.ImportFrom)):
                near = "".join(lines[one.lineno - 1 : one.end_lineno])
                above = lines[one.lineno - 2].strip().startswith("#")
                if "#" not in near and not above and "\n# Imported in functions: " not in text:
                    without.append(f"{path.name}: {ast.unparse(one)}")
    assert not without


def is_documented(node: ast.AST) -> bool:
    return isinstance(node, (ast.ClassDef, ast.FunctionDef)) and bool(ast.get_docstring(node))


def test_the_pipeline_is_thin():
    path = PACKAGE / "pipeline.py"
    documented = [TREES[path], *(n for n in ast.walk(TREES[path]) if is_documented(n))]
    docstrings = sum(n.body[0].end_lineno - n.body[0].lineno + 1 for n in documented)
    assert len(path.read_text().splitlines()) - docstrings <= 200
    (pipeline,) = [n for n in TREES[path].body if isinstance(n, ast.ClassDef)]
    methods = [n.name for n in pipeline.body if isinstance(n, ast.FunctionDef)]
    assert len([name for name in methods if not name.startswith("_")]) <= 14


NOT_A_VERB = {"A", "All", "An", "Each", "Every", "How", "The", "What", "Where", "Whether", "Which"}


def test_the_summary_of_a_function_begins_with_a_verb():
    found = []
    for path, node in FUNCTIONS:
        first = (ast.get_docstring(node) or "Return").split()[0]
        if first in NOT_A_VERB and not any(
            "property" in ast.unparse(d) for d in node.decorator_list
        ):
            found.append(f"{path.name}: {node.name}")
    assert not found
