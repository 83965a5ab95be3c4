"""API keys: requests without a valid one are refused, where keys are set."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CHALLENGE = 'Bearer, Basic realm="titanic_ml", charset="UTF-8"'
# For probes, which have no key, and for the description of the API.
OPEN = ("/healthz", "/readyz", "/openapi.json", "/docs", "/favicon.ico")


class ApiKeyMiddleware:
    """Middleware that refuses requests without a valid key.

    Keys are compared as hashes, all of them, in constant time.

    Parameters
    ----------
    app : the application
    keys : each is valid, as `Authorization: Bearer KEY`, or as the password of any user in HTTP's
        Basic authentication, for which a browser shows a form
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self.app = app
        self._hashes = [_hash(key.encode()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._may_ask(scope):
            text = "no key, or a wrong one; expected the header Authorization: Bearer KEY"
            refused = JSONResponse({"error": text}, 401, {"www-authenticate": CHALLENGE})
            await refused(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _may_ask(self, scope: Scope) -> bool:
        path = scope["path"]
        if path in OPEN or path.startswith("/docs/"):
            return True
        kind, _, key = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"basic":
            key = _password(key)
        given = _hash(key.strip())
        right = [hmac.compare_digest(given, one) for one in self._hashes]
        return kind.lower() in (b"bearer", b"basic") and any(right)


def _password(given: bytes) -> bytes:
    """Return the password of `user:password` in Base64; empty if it is malformed."""
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
