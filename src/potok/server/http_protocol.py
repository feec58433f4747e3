"""uvicorn's HTTP protocol with two bounds that it lacks: how slow and how long a head may be."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from potok import limits

__all__ = ["HttpProtocol"]


class HttpProtocol(HttpToolsProtocol):
    """Drops a client whose request's line and headers do not come, or never end."""

    _head_alarm: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_alarm is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > limits.REQUEST_HEAD_BYTES_MAX and not self.transport.is_closing():
            self._head_is_there()
            self.send_400_response("The request line and the headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_alarm is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._head_alarm = self.loop.call_later(
            limits.REQUEST_HEAD_SECONDS_MAX, self._drop_slow_client
        )

    def _head_is_there(self) -> None:
        if self._head_alarm is not None:
            self._head_alarm.cancel()
            self._head_alarm = None

    def _drop_slow_client(self) -> None:
        # Without a word: whoever sends a byte a minute does not read one either.
        self._head_alarm = None
        self.transport.abort()
