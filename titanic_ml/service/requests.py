"""Parsing of requests: bytes, JSON, rows, uploads; each refusal with its status."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from titanic_ml.errors import UnreadableTable

MOST_BYTES = 10_000_000  # of a body
MOST_FILE_BYTES = 500_000_000  # of a table
MOST_ROWS = 10_000  # of a request
MOST_FIELDS = 1_000  # of a row
FILES = {"text/csv": ".csv", "application/vnd.apache.parquet": ".parquet"}
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # of a text that UTF-8 may not be able to hold


class Refused(Exception):
    """A request is refused.

    Attributes
    ----------
    status
        Status of the response, 4xx or 5xx.
    content
        Body of the response, for JSON.
    headers
        Headers of the response.
    """

    def __init__(self, status: int, error: str, retry_after: int | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.content = {"error": error}
        self.headers = {} if retry_after is None else {"retry-after": str(retry_after)}


async def rows_of(request: Request, row_name: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of a request, and whether it is a single one. Raises `Refused`.

    `row_name` is what a row is called in messages.
    """
    _type_of(request, ["application/json"])
    found = _parsed(b"".join([part async for part in _body(request, MOST_BYTES)]))
    alone = isinstance(found, dict)
    rows = [found] if alone else found
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise Refused(422, f"expected a {row_name}, an object of fields, or a list of such")
    if not rows:
        raise Refused(422, f"found no {row_name}, expected at least one")
    if len(rows) > MOST_ROWS:
        raise Refused(413, f"found {len(rows):,} rows, expected at most {MOST_ROWS:,}")
    for number, row in enumerate(rows, start=1):
        if len(row) > MOST_FIELDS:
            raise Refused(
                422,
                f"{row_name} {number} has {len(row):,} fields, expected at most {MOST_FIELDS:,}",
            )
    return rows, alone


@dataclass(frozen=True)
class Upload:
    """An uploaded table in a temporary folder.

    Attributes
    ----------
    kind
        Content type, one of `FILES`.
    folder
        Path of the file, until `remove`.
    """

    kind: str
    folder: tempfile.TemporaryDirectory[str]

    @property
    def path(self) -> str:
        """The table."""
        return str(Path(self.folder.name, f"table{FILES[self.kind]}"))

    @property
    def output(self) -> str:
        """Where its predictions go."""
        return str(Path(self.folder.name, f"predictions{FILES[self.kind]}"))

    def remove(self) -> None:
        """Remove both."""
        self.folder.cleanup()

    def without_path(self, error: BaseException) -> BaseException:
        """Return the error without the path of the temporary file."""
        if isinstance(error, UnreadableTable):
            reason = str(error).replace(self.path, "the table")
            return UnreadableTable(reason.partition("; give it a name")[0])
        return error


async def received(request: Request) -> Upload:
    """Stream the table of a request into a temporary file. Raises `Refused`."""
    kind = _type_of(request, list(FILES))
    upload = Upload(kind, tempfile.TemporaryDirectory(prefix="ml-upload-"))
    try:
        with open(upload.path, "wb") as file:
            async for part in _body(request, MOST_FILE_BYTES):
                await run_in_threadpool(file.write, part)
    except BaseException:
        upload.remove()
        raise
    return upload


def _type_of(request: Request, expected: list[str]) -> str:
    given = request.headers.get("content-type", "")
    found = given.partition(";")[0].strip().lower()
    if found not in expected:
        text = " or ".join(expected)
        raise Refused(415, f"found the type {given[:60]!r}, expected {text}")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Refused(415, f"found the content-encoding {encoding[:60]!r}, expected none")
    return found


async def _body(request: Request, most: int) -> AsyncIterator[bytes]:
    """Yield the parts of a body. Raises `Refused` if it is too large."""
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise Refused(413, f"found more than {most:,} bytes, expected fewer")
            yield part
    except ClientDisconnect as error:
        raise Refused(400, "the request ended before it was whole") from error


def _parsed(body: bytes) -> Any:
    try:
        found = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_object)
        if SURROGATE.search(body):
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # of UTF-8 and of too many digits too
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Refused(400, f"not JSON in UTF-8: {reason[:200]}") from error
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        repeated = next(name for name, count in names.items() if count > 1)
        raise ValueError(f"{repeated[:60]!r} is named twice in an object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
