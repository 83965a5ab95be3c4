"""Clients of buckets, for tables and versions: one place for variables, addresses and errors."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, BinaryIO, cast

from titanic_ml.errors import SettingsError
from titanic_ml.storage.secrets import check_no_userinfo, shown

# Imported in functions: obstore, which local files do without.

SCHEMES = ("s3", "gs", "az")
CLIENT = ("obstore.exceptions",)  # its errors become sentences; importing them takes time
VARIABLES = ("AWS_", "AZURE_", "GOOGLE_")  # how those begin that the client reads
ENDPOINTS = {  # the variables that name another server than the cloud's
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "az": ("AZURE_STORAGE_ENDPOINT",),
    "gs": (),
}
PATIENCE = {"connect_timeout": "5s", "timeout": "120s"}  # of one request
RETRIES = 3
METADATA = "169.254.169.254"  # from where a machine of a cloud gets its credentials
CHUNK = 1 << 20
KEYS = {
    "S3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "GCS": "GOOGLE_APPLICATION_CREDENTIALS",
    "MicrosoftAzure": "AZURE_STORAGE_ACCOUNT_KEY",
}
WRONG_REGION = "set AWS_REGION to the region of the bucket"
ADVICE = {  # by the code of the server
    "AccessDenied": "the keys do not permit this; see AWS_ACCESS_KEY_ID",
    "AuthorizationHeaderMalformed": WRONG_REGION,
    "ExpiredToken": "renew AWS_SESSION_TOKEN and the keys with it",
    "IllegalLocationConstraintException": WRONG_REGION,
    "InvalidAccessKeyId": "see AWS_ACCESS_KEY_ID",
    "InvalidToken": "see AWS_SESSION_TOKEN",
    "NoSuchBucket": "see the name behind s3://, and AWS_ENDPOINT_URL",
    "PermanentRedirect": WRONG_REGION,
    "RequestTimeTooSkewed": "set the clock of this machine",
    "SignatureDoesNotMatch": "see AWS_SECRET_ACCESS_KEY",
}


def check_bucket(uri: str) -> None:
    """Refuse an address of a bucket, before any client sees it, that none can use.

    Raises
    ------
    SettingsError
        It has no bucket, an empty part, or a key in it.
    """
    check_no_userinfo(uri)
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket or "//" in f"/{key}":
        raise SettingsError(
            f"{shown(uri)}: no address of a bucket, expected {scheme}://bucket/name without empty "
            "parts"
        )


def client(uri: str) -> Any:
    """Make the client of a bucket and prefix, or of ``memory:///``.

    It reads the variables that the cloud's own tools read. An empty one counts as unset. A process
    has one client as long as they stay the same.

    Raises
    ------
    SettingsError
        A variable does not hold the address of a server.
    """
    if uri.startswith("memory:"):
        return _client(uri, "", ())
    names = ENDPOINTS[uri.partition(":")[0]]
    name, endpoint = next(((n, e) for n in names if (e := os.environ.get(n))), ("", ""))
    if endpoint and not re.match("https?://.", endpoint):
        raise SettingsError(
            f"{name} is {shown(endpoint)}, expected an address that begins with http:// or https://"
        )
    variables = {n: value for n, value in os.environ.items() if n.startswith(VARIABLES) and value}
    return _client(uri, endpoint, tuple(sorted(variables.items())))


@cache
def _client(uri: str, endpoint: str, variables: tuple[tuple[str, str], ...]) -> Any:
    """Make a client with these variables."""
    from obstore.store import from_url

    if uri.startswith("memory:"):
        return from_url("memory:///")
    given: Any = {"endpoint": endpoint} if endpoint else {}
    patience: Any = PATIENCE | {"allow_http": endpoint.startswith("http://")}
    retry: Any = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=30)}
    with _without_empty_variables():
        return from_url(uri, config=given, client_options=patience, retry_config=retry)


def opened(store: Any, key: str) -> BinaryIO:
    """Open an object for reading at any position."""
    import obstore

    file = _Object(obstore.open_reader(store, key, buffer_size=CHUNK))
    return cast(BinaryIO, io.BufferedReader(file, CHUNK))


def is_clients(error: Exception) -> bool:
    """Check whether an error comes from the client."""
    return type(error).__module__ in CLIENT


def reason(error: Exception) -> str:
    """Return the useful part of an error of the client or the operating system."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if number := re.search(r"\(os error (\d+)\)", text):
        return os.strerror(int(number[1]))
    server = re.search(r"Error performing \w+ (\w+://[^/\s]+)", text)
    if server and METADATA in server[1]:
        cloud = re.match(r"Generic (\w+) error", text)
        return f"no credentials are set, such as {KEYS.get(cloud[1] if cloud else '', KEYS['S3'])}"
    if "Account must be specified" in text:
        return "set AZURE_STORAGE_ACCOUNT_NAME to the account of the container"
    if code := re.search(r"<Code>(\w+)</Code>", text):
        message = re.search(r"<Message>([^<]+)</Message>", text)
        words = f"{code[1]}: {message[1].strip()}" if message else code[1]
        advice = f"; {ADVICE[code[1]]}" if code[1] in ADVICE else ""
        return f"{server[1] if server else 'the server'} says {words}{advice}"
    if server and (status := re.search(r"status code: (\d+ [\w ]+)", text)):
        redirected = f"; {WRONG_REGION}" if status[1].startswith("301") else ""
        return f"{server[1]} says {status[1]}{redirected}"
    if "redirect without LOCATION" in text:  # a bucket of another region
        return f"the bucket is elsewhere; {WRONG_REGION}"
    if server and "HTTP error" in text:
        return f"no answer from {server[1]}"
    return text.splitlines()[0] if text else type(error).__name__


class _Object(io.RawIOBase):
    """A reader of obstore as a file of Python."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._reader.size - self._reader.tell()  # obstore 0.8 can't read beyond the end
        data = self._reader.read(min(len(buffer), left)) if left > 0 else b""
        buffer[: len(data)] = memoryview(data)
        return len(data)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return int(self._reader.seek(place, whence))

    def tell(self) -> int:
        return int(self._reader.tell())


@contextmanager
def _without_empty_variables() -> Iterator[None]:
    empty = [n for n, v in os.environ.items() if n.startswith(VARIABLES) and not v]
    for name in empty:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(dict.fromkeys(empty, ""))
