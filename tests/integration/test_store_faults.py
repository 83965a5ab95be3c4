"""A store with failing storage: one sentence, nothing incomplete, and a retry that works."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from urllib.parse import urlsplit

import pytest

from titanic_ml.errors import StoreUnusable
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents, Manifest, ModelVersion, Summary
from titanic_ml.workflows.training import TrainingWorkflow


@dataclass
class Proxy:
    """A proxy before a bucket that counts requests and can stop responding."""

    uri: str
    lines: list[str] = field(default_factory=list)  # method and path of each request
    left: int | None = None  # how many more are answered; None: all
    now: int = 0  # requests that are being answered
    most: int = 0  # the most that were at the same time


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request on to the bucket's server, as long as the proxy is to answer."""

    protocol_version = "HTTP/1.1"
    proxy: Proxy
    host: str
    lock = threading.Lock()

    def hand_on(self):
        here = self.proxy
        with self.lock:
            here.lines.append(f"{self.command} {self.path}")
            here.left = None if here.left is None else here.left - 1
            here.now += 1
            here.most = max(here.most, here.now)
            silent = here.left is not None and here.left < 0
        try:
            if silent:
                self.close_connection = True  # no answer at all
            else:
                self.answer()
        finally:
            with self.lock:
                here.now -= 1

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = http.client.HTTPConnection(self.host)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        data = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        upstream.close()

    do_GET = do_PUT = do_DELETE = do_POST = hand_on

    def log_message(self, *words):
        pass


@pytest.fixture
def proxy(own_bucket, _own_bucket_server, monkeypatch) -> Iterator[Proxy]:
    """A fresh bucket of the tests' own server, behind a proxy."""
    here = Proxy(own_bucket("models"))
    kind = type("Bound", (Handler,), {"proxy": here, "host": urlsplit(_own_bucket_server).netloc})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield here
    server.shutdown()
    server.server_close()


def many(store: ModelStore, manifest: Manifest, count: int) -> list[str]:
    """Versions with a manifest only, as a list reads them."""
    names = [f"20260101T000000.{number:03}Z-abcdef" for number in range(count)]
    store.objects.write_all(
        {f"{n}/manifest.json": replace(manifest, version=n).to_bytes() for n in names}
    )
    store.objects.write_all({f"{n}/model.joblib": b"" for n in names})
    return names


def contents_of(version: ModelVersion) -> Contents:
    return Contents(version.model, version.baselines, version.background, version.out_of_fold)


def summary_of(version: ModelVersion) -> Summary:
    return Summary(**{f.name: getattr(version.manifest, f.name) for f in fields(Summary)})


def test_a_list_of_200_versions_is_a_request_a_line_and_three_more(run, proxy, trained):
    manifest = ModelStore(str(trained)).open("champion").manifest
    store = ModelStore(proxy.uri)
    names = many(store, manifest, 200)
    store.champion.point(names[7], "forced")
    proxy.lines.clear()
    rows = json.loads(run("models", "list", "--json", f"store.uri={proxy.uri}").out)
    assert [row["version"] for row in rows] == names[::-1]
    assert [row["version"] for row in rows if "champion" in row["aliases"]] == [names[7]]
    listing = [line for line in proxy.lines if "list-type=2" in line]
    manifests = [line for line in proxy.lines if line.endswith("/manifest.json")]
    assert len(manifests) == 200 and len(set(manifests)) == 200
    assert len(listing) == 2 and len(proxy.lines) == 203
    assert proxy.most > 4


def test_a_save_that_the_server_leaves_alone_at_any_request_is_no_version(proxy, store):
    champion = ModelStore(str(store)).open("champion")
    made, contents, summary = ModelStore(proxy.uri), contents_of(champion), summary_of(champion)
    made.champion.point(made.save(contents, summary).name, "forced")
    proxy.lines.clear()
    made.save(contents, summary)
    whole = len(proxy.lines)
    before = made.names()
    for answered in range(whole):
        proxy.left = answered
        with pytest.raises(StoreUnusable, match="can't be (read|written): no answer from http:"):
            made.save(contents, summary)
        proxy.left = None
        assert [v.name for v in made.versions()] == made.names() == before, answered
        assert made.open("champion").faults() == []
    assert made.save(contents, summary).faults() == []
    assert len(made.names()) == len(before) + 1


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """The disk takes no file of more bytes, as if it were full."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.posix
def test_a_disk_that_fills_while_a_version_is_kept(run, store, quick, computed):
    words, before = ("train", f"store.uri={store}", *quick), sorted(store.rglob("*"))
    with small_files(100_000):
        done = run(*words)
    told = f"Error: the store {store} can't be written: (File too large|No space left on device)\n"
    assert done.code == 1 and re.fullmatch(told, done.err) and done.out == ""
    assert sorted(store.rglob("*")) == before
    assert run(*words).code == 0
    assert len(ModelStore(str(store)).names()) == 2


def test_a_bucket_that_falls_silent_while_a_version_is_kept(
    run, proxy, store, quick, training, monkeypatch
):
    def assess(*words):
        proxy.left = 4  # it falls silent when all is computed and the version is being written
        return training.assessment

    monkeypatch.setattr(TrainingWorkflow, "choose", lambda *words: (training.selection, None))
    monkeypatch.setattr(TrainingWorkflow, "assess", assess)
    words = ("train", f"store.uri={proxy.uri}", *quick)
    made = ModelStore(proxy.uri)
    champion = ModelStore(str(store)).open("champion")
    old = made.save(contents_of(champion), summary_of(champion))
    made.champion.point(old.name, "forced")
    done = run(*words)
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(
        r"WARNING: \S+: half written, and can't be removed: the store .*\n"
        r"Error: the store s3://\S+ can't be (read|written): no answer.*\n",
        done.err,
    )
    proxy.left = None
    assert made.names() == [old.name] and made.champion.version == old.name
    monkeypatch.setattr(TrainingWorkflow, "assess", lambda *words: training.assessment)
    assert run(*words).code == 0
    assert len(made.names()) == 2


@pytest.mark.parametrize(
    "command",
    [["train"], ["models", "list"], ["predict", "data/test.csv", "--output", "out.csv"]],
)
def test_a_bucket_that_is_away_is_reported_before_any_work(run, proxy, quick, command, monkeypatch):
    monkeypatch.setattr(TrainingWorkflow, "choose", lambda *words: 1 / 0)
    proxy.left = 0
    done = run(*command, f"store.uri={proxy.uri}", *quick)
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"Error: the store s3://\S+ can't be \w+: no answer from .*\n", done.err)


@pytest.mark.parametrize("uri", ["ftp://host/models", "s3a://bucket/models", "file:///models"])
def test_a_store_of_no_known_kind_is_a_wrong_usage(run, quick, uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["train"], ["models", "list"], ["evaluate"]):
        done = run(*command, f"store.uri={uri}", *quick)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"Error: the store '{uri}' is of no known kind, expected a fol")
    assert not list(tmp_path.iterdir())
