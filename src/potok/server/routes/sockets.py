"""The WebSocket paths. Each is an ASGI app of its own, without the framework's around it."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from potok.errors import PathUnknown
from potok.server.many_runs_session import ManyRunsSession
from potok.server.one_run_session import OneRunSession
from potok.server.services import Services
from potok.server.simple_chat_session import SimpleChatSession
from potok.server.socket_refusal import refuse_socket
from potok.server.websocket_session import Session, Socket, SocketEndpoint, Sockets

__all__ = ["add_socket_routes"]

_SESSIONS: dict[str, Callable[[Services, Socket], Session]] = {
    "/ws": SimpleChatSession,
    "/": SimpleChatSession,
    "/api/ws": ManyRunsSession,
    "/api/runs/{run}/ws": OneRunSession,
}


def add_socket_routes(app: FastAPI, services: Services) -> None:
    """Add the routes; all sockets of the process are counted together."""
    sockets = Sockets()
    for path, open_session in _SESSIONS.items():
        endpoint = SocketEndpoint(services, sockets, open_session)
        app.router.routes.append(WebSocketRoute(path, endpoint))
    app.router.default = _without_stray_sockets(app.router.default)


def _without_stray_sockets(usual: ASGIApp) -> ASGIApp:
    # The framework answers a socket on an unknown path as it answers one that is forbidden.
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await usual(scope, receive, send)
            return
        unknown = PathUnknown(scope["path"], known=tuple(_SESSIONS))
        await refuse_socket(unknown, scope, receive, send)

    return answer
