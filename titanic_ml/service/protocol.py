"""uvicorn's HTTP protocol with limits on request heads, for clients that are slow on purpose."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0  # for the head of a request
MOST_HEAD_BYTES = 64 << 10
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection if the head of a request comes too slowly or is too large.

    It does the same if a client keeps sending a body after the response. `AccessLogMiddleware`
    limits the time until the response, uvicorn the time of idle connections.
    """

    _deadline: asyncio.TimerHandle | None = None  # while a head is incomplete
    _head_bytes = 0
    _rest: asyncio.TimerHandle | None = None  # while the body of an answered request is incomplete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._stop_rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._deadline and self._head_bytes > MOST_HEAD_BYTES:
            self._stop_deadline()
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:  # a later request of the connection
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._stop_deadline()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._rest = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_rest()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _stop_rest(self) -> None:
        if self._rest:
            self._rest.cancel()
            self._rest = None
