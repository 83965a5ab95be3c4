"""What a request holds: its bytes, its JSON, its passengers; each refusal with its status."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 10_000_000  # of a body
MOST_PASSENGERS = 10_000  # of a request
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # of a text that UTF-8 may not be able to hold


class Refused(Exception):
    """A request that can't be answered.

    Attributes
    ----------
    status
        Of the answer, 4xx or 5xx.
    content
        What it says, as JSON.
    """

    def __init__(self, status: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.content = {"error": error, **more}


async def passengers_of(request: Request) -> tuple[list[dict[str, Any]], bool]:
    """The passengers of a request, and whether it is one that stands alone. Raises `Refused`."""
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, f"found the type {given[:60]!r}, expected application/json")
    found = _parsed(await _body(request))
    alone = isinstance(found, dict)
    passengers = [found] if alone else found
    if not isinstance(passengers, list) or not all(isinstance(one, dict) for one in passengers):
        raise Refused(422, "expected a passenger, an object of facts, or a list of passengers")
    if not passengers:
        raise Refused(422, "found no passengers, expected at least one")
    if len(passengers) > MOST_PASSENGERS:
        raise Refused(
            413, f"found {len(passengers):,} passengers, expected at most {MOST_PASSENGERS:,}"
        )
    return passengers, alone


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MOST_BYTES:
                raise Refused(413, f"found more than {MOST_BYTES:,} bytes, expected fewer")
            parts.append(part)
    except ClientDisconnect as error:
        raise Refused(400, "the request ended before it was whole") from error
    return b"".join(parts)


def _parsed(body: bytes) -> Any:
    try:
        found = json.loads(body, parse_constant=_no_constant)
        if SURROGATE.search(body):
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # of UTF-8 and of too many digits too
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Refused(400, f"not JSON in UTF-8: {reason[:200]}") from error
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
