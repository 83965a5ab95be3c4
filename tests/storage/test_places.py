"""Where files are: on disk, in a real bucket, and on a web server that behaves or doesn't."""

from __future__ import annotations

import http.server
import os
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pandas as pd
import pytest

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.address import parse
from titanic_ml.storage.places import located
from titanic_ml.storage.tables import open_table, read_table

CSV = b"a,b\n1,x\n2,y\n"
FRAME = pd.DataFrame({"a": ["1", "2"], "b": ["x", "y"]}, dtype="str")
PARQUET = FRAME.to_parquet()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the path: whole, cut short, without a length, or not at all."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/gone.csv":
            self.send_error(404)
            return
        if path == "/moved.csv":
            self.send_response(302)
            self.send_header("Location", "/a.csv")
            self.end_headers()
            return
        data = PARQUET if path.endswith(".parquet") else CSV
        self.send_response(200)
        if path != "/nolength.csv":
            self.send_header("Content-Length", str(len(data) + 100 * (path == "/cut.csv")))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


@pytest.fixture
def serve():
    """Start a web server, with a certificate if one is given; its address."""
    servers = []

    def start(certificate: Path | None = None) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http{'s' * bool(certificate)}://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_file_of_the_web_is_read(serve):
    host = serve()
    for name in ("a.csv", "a.csv?token=secret", "nolength.csv", "moved.csv", "a.parquet"):
        pd.testing.assert_frame_equal(read_table(f"{host}/{name}"), FRAME)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")
def test_the_certificate_of_a_web_server_is_checked(serve, tmp_path, monkeypatch):
    certificate = tmp_path / "both.pem"
    words = (
        "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    parts = [(tmp_path / name).read_text() for name in ("key.pem", "cert.pem")]
    certificate.write_text("".join(parts))
    host = serve(certificate)
    with pytest.raises(UnreadableTable, match="can't be read: .*certificate verify failed"):
        read_table(f"{host}/a.csv")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    monkeypatch.setattr("urllib.request._opener", None)  # which keeps what it read of the variable
    pd.testing.assert_frame_equal(read_table(f"{host}/a.csv"), FRAME)


def test_what_the_web_does_not_give_is_reported_without_the_secret(serve):
    host = serve()
    for name, told in (
        ("gone.csv", "404 Not Found"),
        ("cut.csv", "only 12 of 112 bytes came; try again"),
    ):
        with pytest.raises(UnreadableTable, match=told) as caught:
            read_table(f"{host}/{name}?token=s3cret")
        assert "s3cret" not in str(caught.value)
    with pytest.raises(UnreadableTable, match="can't be read: Connection refused"):
        read_table("http://127.0.0.1:1/a.csv")


def test_files_of_a_bucket_are_read(bucket):
    pd.testing.assert_frame_equal(read_table(bucket("x/a.csv", CSV)), FRAME)
    bucket("x/t/1.parquet", PARQUET)
    bucket("x/t/deep/2.parquet", PARQUET)
    bucket("x/t/_log/3.parquet", PARQUET)
    bucket("x/t/readme.txt", b"no table")
    twice = pd.concat([FRAME, FRAME], ignore_index=True)
    pd.testing.assert_frame_equal(read_table(bucket("x/t/")), twice)
    pd.testing.assert_frame_equal(read_table(bucket("x/t/*.parquet")), twice)
    pd.testing.assert_frame_equal(read_table(bucket("x/t/1*.parquet")), FRAME)
    with open_table(bucket("x/t/1.parquet")) as source:
        assert source.fingerprint() == source.fingerprint()


def test_what_a_bucket_does_not_hold_or_give_is_reported_in_a_sentence(bucket, monkeypatch):
    uri = bucket("x/a.csv", CSV)
    for name, told in (
        (bucket("none.csv"), "none.csv: no such file"),
        (bucket("none/"), "none/: contains no .parquet file"),
        (bucket("x/none*.parquet"), "contains no .parquet file"),
        ("s3://no-such-bucket/a.csv", "no-such-bucket/a.csv: "),
    ):
        with pytest.raises(UnreadableTable, match=told):
            read_table(name)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(
        UnreadableTable, match="can't be read: .*SignatureDoesNotMatch: .*; see AWS_SECRET"
    ) as caught:
        read_table(uri)
    assert "\n" not in str(caught.value)


def test_a_folder_is_its_parquet_files_by_name(tmp_path):
    for name in ("b.parquet", "a.parquet", "deep/c.parquet", ".hidden.parquet", "_x/d.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PARQUET)
    (tmp_path / "notes.txt").touch()
    with located(parse(str(tmp_path))) as places:
        assert [place.name.removeprefix(f"{tmp_path}/") for place in places] == [
            *("a.parquet", "b.parquet", "deep/c.parquet"),
        ]
        assert {place.size for place in places} == {len(PARQUET)}
    with located(parse(f"{tmp_path}/*.parquet")) as places:
        assert len(places) == 2
    for uri, told in (
        (f"{tmp_path}/none/", "none/: no such folder .looked for"),
        (f"{tmp_path}/none*.parquet", "contains no .parquet file"),
        (f"{tmp_path}/_x/../deep/../_y/", "no such folder"),
    ):
        with pytest.raises(UnreadableTable, match=told):
            read_table(uri)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableTable, match="empty: contains no .parquet file"):
        read_table(f"{tmp_path}/empty")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    writer = threading.Thread(target=(tmp_path / "a.csv").write_bytes, args=(CSV,))
    writer.start()
    with open_table(tmp_path / "a.csv") as source:
        assert len(source.fingerprint()) == 64
        pd.testing.assert_frame_equal(source.frame(), FRAME)
    writer.join()
