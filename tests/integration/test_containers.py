"""The containers' files agree with the project, and what they start works on real servers.

Building and running the image itself is `make image-check`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pandas as pd
import pytest
from omegaconf import OmegaConf

from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = OmegaConf.to_container(OmegaConf.load(ROOT / "deploy/compose.yaml"), resolve=False)
SERVICES = COMPOSE["services"]
KEY = "a-key-of-the-tests"  # pragma: allowlist secret
GIVEN = {"POSTGRES_PASSWORD": "s3cret", "TITANIC_SIGNING_KEY": "0" * 64, "TITANIC_API_KEYS": KEY}


def test_the_base_is_pinned_and_has_a_python_that_is_tested():
    base = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)[1]
    version = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+", base)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    assert f"lib/python{version}/" in DOCKERFILE
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BASE}"] * 2
    assert f'version="{project["version"]}"' in DOCKERFILE
    assert SERVICES["train"]["image"] == f"titanic_ml:{project['version']}"


def test_only_what_is_copied_is_sent_to_the_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert sent == set(" ".join(copied).split())
    assert "*" in lines and all((ROOT / name).exists() for name in sent)


def test_servers_are_pinned_and_nothing_secret_is_in_the_file():
    for service in SERVICES.values():
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", service["image"])
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY", name):
                assert re.fullmatch(r"\$\{\w+(:\?[^}]*)?\}", value), name
    example = (ROOT / "deploy/.env.example").read_text()
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy/compose.yaml").read_text()))
    assert asked == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


@pytest.mark.usefixtures("unmeasured")
def test_what_compose_starts_works_with_the_variables_that_it_is_given(
    bucket, postgres, quick, tmp_path, free_port, wait_for
):
    """As compose starts them, but for the servers' addresses, on the servers of these tests."""
    place = bucket("").rstrip("/")

    def given(value: str) -> str:
        value = re.sub(r"\$\{(\w+)[^}]*\}", lambda name: GIVEN.get(name[1], ""), value)
        value = value.replace("s3://titanic", place).replace("/data/", f"{ROOT}/data/")
        return re.sub(r"postgresql://.*\?(table=\w+)", lambda m: postgres(m[1]), value)

    def started(name: str, *more: object) -> tuple[subprocess.Popen[str], dict[str, str]]:
        service = SERVICES[name]
        ours = {key: given(v) for key, v in service["environment"].items() if key[:3] != "AWS"}
        words = [given(word) for word in service["command"]] + [str(word) for word in more]
        program = subprocess.Popen(
            [sys.executable, ROOT / "main.py", *words],
            cwd=tmp_path,
            env=os.environ | ours,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return program, ours

    def job(name: str, *more: str) -> str:
        program, ours = started(name, *more)
        told = program.communicate()[1]
        assert program.returncode == 0, told
        return ours["TITANIC_PREDICTIONS_URI"]

    job("train", *quick[1:])  # the table is that of the variable
    store = ModelStore(f"{place}/models", GIVEN["TITANIC_SIGNING_KEY"])
    (version,) = store.versions()
    assert store.champion.version == version.name
    for _ in range(2):
        predictions = read_table(job("predict"))
        assert len(predictions) == 418 and set(predictions["model_version"]) == {version.name}
    assert {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} < set(SERVICES["predict"]["environment"])

    service, variables = started("serve", "--port", free_port)
    try:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        table = (ROOT / "data/test.csv").read_bytes()
        request = Request(f"http://127.0.0.1:{free_port}/predict/file", table)
        request.add_header("Content-Type", "text/csv")
        with pytest.raises(HTTPError, match="401"):
            urlopen(request)
        request.add_header("Authorization", f"Bearer {KEY}")
        with urlopen(request) as answer:
            assert answer.headers["x-model-version"] == version.name
        passenger = pd.read_csv(ROOT / "data/test.csv", dtype=object).iloc[0].dropna().to_dict()
        request = Request(f"http://127.0.0.1:{free_port}/predict", json.dumps(passenger).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Bearer {KEY}")
        urlopen(request).close()
    finally:
        service.terminate()
        stderr = service.communicate(timeout=180)[1]
    assert service.returncode == 0 and KEY not in stderr, stderr
    kept = read_table(variables["TITANIC_LOG_URI"])
    assert kept["PassengerId"].tolist() == [892] and kept["model_version"].tolist() == [
        version.name
    ]
