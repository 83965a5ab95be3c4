"""The commands of docs/tables.md, run against real servers."""

from __future__ import annotations

import functools
import http.server
import io
import json
import os
import re
import shlex
import shutil
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of
from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tables.md").read_text()
BLOCKS = [
    line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S) for line in block.split("\n")
]
LINES = [line for line in [*re.findall(r"`(python main\.py [^`]*)`", PAGE), *BLOCKS] if line]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def project(store_here, tmp_path, monkeypatch) -> Path:
    """A folder with the project's data, a model, and the tables that the page names."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    test = pd.read_csv(ROOT / "data/test.csv")
    (tmp_path / "parts").mkdir()
    test.iloc[:200].to_parquet("parts/1.parquet")
    test.iloc[200:].to_parquet("parts/2.parquet")
    test.astype(object).assign(Age=[*["old"] * 2, *test["Age"][2:]]).to_csv("bad.csv", index=False)
    with open("bad.csv", "a") as file:
        file.write("1310,3\n")
    return tmp_path


@pytest.fixture
def services(project, bucket, postgres, spec, monkeypatch):
    """The servers that the page names, with its tables."""
    handler = functools.partial(Quiet, directory=project / "data")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("WEB", f"http://127.0.0.1:{server.server_port}")
    for key in ("data/test.csv", "data/train.csv", "parts/1.parquet", "parts/2.parquet"):
        bucket(key.removeprefix("data/"), (project / key).read_bytes())
    monkeypatch.setenv("BUCKET", bucket("").rstrip("/"))
    monkeypatch.setenv("DATABASE", postgres())
    kinds = {"integer": "integer", "number": "number"}
    columns = {name: kinds.get(column.kind, "text") for name, column in spec.columns.items()}
    for table, name in (("passengers", "train"), ("waiting", "test")):
        frame = pd.read_csv(project / f"data/{name}.csv")
        schema = schema_of({column: columns[column] for column in frame})
        with open_sink(parse(postgres(f"table={table}")), schema) as write:
            write(frame)
    yield postgres
    server.shutdown()
    server.server_close()


def test_each_line_of_the_page_does_what_it_says(services, project, run, monkeypatch):
    assert len(LINES) > 15
    for line in LINES:
        words = shlex.split(os.path.expandvars(line.replace("< data/test.csv", "")))
        if words != shlex.split(line):
            given = io.BytesIO(Path("data/test.csv").read_bytes())
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(given))
        done = run(*words[2:])
        assert done.code == 0, f"{line}\n{done.err}"
    for name in ("submission.csv", "submission.csv.gz", "predictions.parquet", "runs/"):
        assert len(read_table(str(project / name))) in (416, 418), name
    found = read_table(services("table=predictions"))
    assert found.groupby("run_id").size().to_dict().pop("2026-11-25") == 418
    assert len(read_table(services("table=today"))) == 418
    assert len(read_table(str(project / "rejects.parquet"))) == 3
    printed = json.loads(done.out)
    (shown,) = re.findall(r'`(\{"model".*?\})`', PAGE)
    expected = json.loads(shown) | {name: printed[name] for name in ("model", "run_id")}
    assert printed == expected
