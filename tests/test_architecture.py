"""The house in this table stands: imports follow its arrows, and importing does nothing."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import titanic_ml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "titanic_ml"

# What each folder or module at the top may import of the others: an arrow that is not drawn here
# does not stand. `main` and `__main__` are faces; a new folder is entered here.
GROUND = {"storage", "config", "errors"}
STAGES = {"dataset", "preprocessing", "estimator", "training", "evaluation", "prediction"}
MAY_IMPORT = {
    "main": {"cli"},
    "__main__": {"cli"},
    "cli": {
        "service",
        "pipeline",
        "results",
        "registry",
        "config",
        "storage",
        "errors",
        "__init__",
    },
    "service": {"pipeline", "registry", "monitoring", "dataset", "errors", "__init__"},
    "monitoring": {"dataset", "evaluation", "storage", "errors"},
    "pipeline": {
        "results",
        "integrations",
        "monitoring",
        "reporting",
        "registry",
        *STAGES,
        *GROUND,
    },
    "results": {"training", "evaluation", "integrations", "monitoring", "reporting", "errors"},
    "integrations": {
        "reporting",
        "registry",
        "dataset",
        "evaluation",
        "prediction",
        "storage",
        "errors",
    },
    "reporting": {"monitoring", "registry", "dataset", "training", "evaluation", "config"},
    "registry": {"dataset", "evaluation", "storage", "errors", "__init__"},
    "training": {"dataset", "estimator", "evaluation", "storage", "errors"},
    "evaluation": {"dataset"},
    "prediction": {"dataset", "errors"},
    "preprocessing": set(),
    "estimator": {"errors"},
    "dataset": {"errors"},
    "config": {"storage", "errors"},
    "storage": {"errors"},
    "errors": set(),
    "__init__": {"pipeline", "errors"},
}
# The one arrow of a stage to the ground: an interrupted training goes on from files.
STAGE_WITH_FILES = "training.checkpoint"
COMMON = {"numpy", "pandas", "scipy", "sklearn", "joblib", "threadpoolctl"}  # no vendor
VENDORS = {
    "config.compose": {"hydra", "omegaconf", "dotenv"},
    "config.layers": {"omegaconf"},
    "registry.version": {"pydantic"},
    "storage.objects": {"obstore"},
    "storage.csv_reader": {"pyarrow"},
    "storage.places": {"pyarrow"},
    "storage.sinks": {"pyarrow"},
    "storage.sources": {"pyarrow"},
    "storage.sql": {"pyarrow", "adbc_driver_manager"},
    "storage.tables": {"pyarrow"},
    "monitoring.log": {"pyarrow"},
    "service.app": {"fastapi", "starlette"},
    "service.dashboard": {"fastapi", "jinja2", "starlette"},
    "service.keys": {"starlette"},
    "service.openapi": {"fastapi"},
    "service.predicting": {"fastapi", "starlette"},
    "service.refusals": {"fastapi"},
    "service.telling": {"fastapi", "fastapi_offline", "prometheus_client", "starlette"},
    "service.metrics": {"prometheus_client"},
    "service.requests": {"starlette"},
    "service.server": {"fastapi", "uvicorn"},
    "service.watched": {"starlette"},
    "integrations.mlflow": {"mlflow", "requests", "sqlalchemy"},
    "integrations.tracking": {"filelock"},
    "dataset.plain": {"pyarrow"},
    "dataset.validation": {"pandera"},
    "reporting.facts": {"pydantic"},
    "reporting.report": {"jinja2"},
    "reporting.plots": {"matplotlib"},
    "cli.app": {"typer"},
    "cli.completion": {"typer"},
    "cli.models": {"typer"},
    "cli.options": {"typer", "rich"},
}


def modules() -> dict[str, Path]:
    """Each module of the package and `main`, by its name without the package's."""
    files = sorted(PACKAGE.rglob("*.py"))
    found = {".".join(p.relative_to(PACKAGE).with_suffix("").parts): p for p in files}
    return {"main": ROOT / "main.py"} | found


MODULES = modules()


def imported(path: Path) -> set[str]:
    """Names that a file imports anywhere, also for type checkers: modules, and what is in them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def neighbours(module: str) -> set[str]:
    """The modules of the package that a module imports; `__init__` for its public names."""
    found = set()
    for name in imported(MODULES[module]):
        first, _, rest = name.partition(".")
        if first == "titanic_ml":
            parts = rest.split(".")
            ends = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
            inner = (name for end in ends for name in (end, f"{end}.__init__") if name in MODULES)
            found.add(next(inner, "__init__"))
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def packages(module: str) -> set[str]:
    """The packages outside the standard library and this project that a module imports."""
    names = {name.split(".")[0] for name in imported(MODULES[module])}
    return names - sys.stdlib_module_names - {"titanic_ml"}


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_every_room_is_drawn_and_every_arrow_too():
    assert {room(module) for module in MODULES} == set(MAY_IMPORT)
    wrong = [
        f"{module} -> {other}"
        for module in MODULES
        for other in neighbours(module)
        if room(other) not in MAY_IMPORT[room(module)] | {room(module)}
    ]
    assert not wrong


def test_no_arrow_is_drawn_that_does_not_stand():
    """A permission that nobody uses would hide the first who does."""
    stand = {(room(module), room(other)) for module in MODULES for other in neighbours(module)}
    drawn = {(room, other) for room, others in MAY_IMPORT.items() for other in others}
    assert not drawn - stand


def test_no_module_imports_itself_in_a_circle():
    """Rooms neither, save that the package's door opens on the pipeline when it is asked for."""
    inner = {module for module in MODULES if not module.endswith("__init__")}
    TopologicalSorter({module: neighbours(module) & inner for module in inner}).prepare()
    rooms = {
        one: {room(other) for m in inner if room(m) == one for other in neighbours(m)}
        - {one, "__init__"}
        for one in MAY_IMPORT
    }
    TopologicalSorter(rooms).prepare()


def test_the_stages_know_no_file_no_settings_and_no_vendor():
    for module in MODULES:
        if room(module) in STAGES and module != STAGE_WITH_FILES:
            assert not {room(other) for other in neighbours(module)} & {"storage", "config"}, module


def test_only_the_edge_names_a_vendor():
    for module in MODULES:
        assert packages(module) - COMMON <= VENDORS.get(module, set()), module


def test_only_the_pipeline_puts_the_stages_together():
    for module in MODULES:
        stages = {room(other) for other in neighbours(module)} & STAGES
        assert len(stages) < len(STAGES) or module == "pipeline", module


def test_doors_that_must_open_fast_import_nothing():
    for name in ("cli", "registry", "storage", "config"):
        assert not imported(MODULES[f"{name}.__init__"])


def test_every_module_says_what_it_is_and_has_its_mirror():
    for module, path in MODULES.items():
        assert ast.get_docstring(ast.parse(path.read_text())), module
        *folders, name = module.split(".")
        if name not in ("__init__", "__main__", "main"):
            assert (ROOT.joinpath("tests", *folders) / f"test_{name}.py").is_file(), module


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


def test_importing_a_module_runs_no_statement_with_effects():
    """At the top stand imports, definitions, assignments, and the doors of the command line."""
    doors = {"app.add_typer"}
    kinds = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.If,
    )
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text()).body[1:]:
            if isinstance(node, ast.Expr):
                assert ast.unparse(node.value.func) in doors, module
            else:
                allowed = (*kinds, ast.Assign, ast.AnnAssign, ast.AugAssign)
                assert isinstance(node, allowed), f"{module}: {ast.unparse(node)}"


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
