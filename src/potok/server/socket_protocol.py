"""uvicorn's WebSocket protocol with two bounds that it lacks; the frames are the library's."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from potok import limits

__all__ = ["SocketProtocol"]


class SocketProtocol(WebSocketsSansIOProtocol):
    """Closes on a message in too many pieces; drops what a client that does not read was sent."""

    def handle_cont(self, event: Frame) -> None:
        # The library counts a message's bytes, so that pieces of none would be free for ever.
        if len(self.frames) >= limits.SOCKET_FRAGMENTS_MAX:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many pieces")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.writable.is_set() and not self.close_sent:
            # The session gave this client up: a polite close would wait for it to read.
            self.transport.abort()
