"""Refuses a WebSocket before its handshake is done: strangers get no socket at all."""

from starlette.types import Receive, Scope, Send

from potok.errors import PotokError
from potok.server.problems import problem_response

__all__ = ["refuse_socket"]


async def refuse_socket(error: PotokError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a handshake with an HTTP status; nothing of the socket comes about."""
    await receive()
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await problem_response(error, scope=scope)(scope, receive, send)
    else:
        # Closed before the handshake is done: the server answers 403.
        await send({"type": "websocket.close", "code": 1008})
