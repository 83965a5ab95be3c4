"""Allowed hosts: requests with another name in the Host header are refused."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class AllowedHostsMiddleware:
    """Middleware against DNS rebinding, where a web page reaches a local service by another name.

    IP addresses are always allowed, as probes of orchestrators use them and a page can't rebind
    them. So is a request of HTTP/1.0 without the header.

    Parameters
    ----------
    app : the application
    hosts : names or patterns, such as ``*.example.org``; ``*`` allows all
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self._hosts = [host.lower() for host in hosts]
        self._allowed = functools.lru_cache(256)(self._is_allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if not self._allowed(host):
                found = host.decode("latin-1")[:60]
                text = f"host {found!r} is not allowed; expected a name of service.allowed_hosts"
                await JSONResponse({"error": text}, 400)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _is_allowed(self, header: bytes) -> bool:
        name, _, port = header.decode("latin-1").lower().rpartition(":")
        if not port.isdigit():  # the header has no port
            name = header.decode("latin-1").lower()
        name = name.removeprefix("[").removesuffix("]")
        if not header or any(fnmatchcase(name, host) for host in self._hosts):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
