"""The house in this table stands: imports point downwards, and importing does nothing."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import titanic_ml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "titanic_ml"
LONGEST = 200  # lines

# From the top down: a module imports only what stands on its own floor or below. A new module is
# entered here.
FLOORS = {
    "faces": ("main", "cli", "cli_models", "cli_options"),
    "pipeline": ("pipeline", "assessment", "record", "results", "promotion"),
    "six": (
        *("dataset", "preprocessing", "estimator", "training", "evaluation", "prediction"),
        *("search", "selection", "inspection"),  # a fold of a training, its result, a look into it
    ),
    "beneath": (
        *("companions", "imputation"),  # preprocessing stands on these,
        *("threshold", "comparison"),  # training on these,
        *("metrics", "scores", "importance", "explanation"),  # evaluation on these
    ),
    "ground": (
        *("schema", "validation", "slices", "config", "settings", "tables", "checkpoint"),
        *("report", "plots", "verdict", "model_store", "aliases", "provenance", "errors"),
    ),
}
FLOOR = {module: floor for floor, modules in FLOORS.items() for module in modules}
SIX_KNOW = {"dataset", "schema", "validation", "errors", "search", "selection"}
SIX_KNOW |= set(FLOORS["beneath"])
SIX_USE = {"numpy", "pandas", "scipy", "sklearn", "joblib", "threadpoolctl"}  # no vendor


def path_of(module: str) -> Path:
    return ROOT / "main.py" if module == "main" else PACKAGE / f"{module}.py"


def imported(path: Path) -> set[str]:
    """Names that a file imports anywhere, save for type checkers: modules, and what is in them."""
    names = set()
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def statements(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from statements(child)


def neighbours(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    parts = (name.split(".") for name in imported(path_of(module)))
    return {name[1] for name in parts if name[0] == "titanic_ml" and name[1] in FLOOR}


def packages(module: str) -> set[str]:
    """The packages outside the standard library and this project that a module imports."""
    names = {name.split(".")[0] for name in imported(path_of(module))}
    return names - sys.stdlib_module_names - {"titanic_ml"}


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_every_module_has_its_floor():
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} == set(FLOOR) - {"main"}


@pytest.mark.parametrize("module", FLOOR)
def test_imports_point_downwards(module):
    floors = list(FLOORS)
    above = floors[: floors.index(FLOOR[module])]
    assert not {name for name in neighbours(module) if FLOOR[name] in above}


def test_no_module_imports_itself_in_a_circle():
    TopologicalSorter({module: neighbours(module) for module in FLOOR}).prepare()


@pytest.mark.parametrize("module", [*FLOORS["six"], *FLOORS["beneath"]])
def test_the_six_know_no_file_no_settings_and_no_vendor(module):
    assert neighbours(module) <= SIX_KNOW
    assert packages(module) <= SIX_USE


@pytest.mark.parametrize("module", [*FLOORS["faces"], *FLOORS["ground"]])
def test_only_the_pipeline_puts_the_six_together(module):
    assert not neighbours(module) & set(FLOORS["six"])


@pytest.mark.parametrize("module", FLOOR)
def test_only_the_edge_names_a_vendor(module):
    edge = {
        "config": {"hydra", "omegaconf", "dotenv"},
        "tables": {"pyarrow"},
        "validation": {"pandera"},
        "report": {"jinja2"},
        "plots": {"matplotlib"},
        "cli": {"typer"},
        "cli_models": {"typer"},
        "cli_options": {"typer", "rich"},
    }
    assert packages(module) - SIX_USE <= edge.get(module, set())


@pytest.mark.parametrize("module", ["__init__", *FLOOR])
def test_every_module_says_what_it_is_in_few_lines(module):
    text = path_of(module).read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LONGEST


@pytest.mark.parametrize("module", [module for module in FLOOR if module != "main"])
def test_every_module_has_its_mirror(module):
    assert (ROOT / "tests" / f"test_{module}.py").is_file()


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


@pytest.mark.parametrize("module", [module for module in FLOOR if module != "main"])
def test_importing_a_module_runs_no_statement_with_effects(module):
    """At the top stand imports, definitions, assignments, and the doors of the command line."""
    doors = {"app.add_typer"}
    tree = ast.parse(path_of(module).read_text())
    for node in tree.body[1:]:
        if isinstance(node, ast.Expr):
            assert ast.unparse(node.value.func) in doors
        elif not isinstance(node, ast.If):
            kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
            assert isinstance(
                node, (*kinds, ast.Assign, ast.AnnAssign, ast.AugAssign)
            ), ast.unparse(node)


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
