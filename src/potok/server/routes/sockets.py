"""The WebSocket paths. Each is an ASGI app of its own, without the framework's around it."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from potok.server.many_runs_session import ManyRunsSession
from potok.server.one_run_session import OneRunSession
from potok.server.services import Services
from potok.server.simple_chat_session import SimpleChatSession
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
