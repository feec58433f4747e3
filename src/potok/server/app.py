"""Builds the ASGI app from built services. Reads no environment, no setting and no file."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from potok.errors import MethodRefused, PathUnknown, PotokError, RequestInvalid
from potok.server import openapi
from potok.server.headers import with_request_id
from potok.server.problems import (
    FACES_IN_SCOPE,
    Faces,
    ProblemLayer,
    answer_problem,
    problem_response,
)
from potok.server.routes.apps import add_app_routes, faces_of_apps
from potok.server.routes.chat_completions import add_chat_completion_routes
from potok.server.routes.chat_messages import add_chat_message_routes
from potok.server.routes.chat_queue import add_chat_queue_routes
from potok.server.routes.chat_transfer import add_chat_transfer_routes
from potok.server.routes.chats import add_chat_routes
from potok.server.routes.embeddings import add_embedding_routes
from potok.server.routes.health import add_health_routes
from potok.server.routes.home import add_home_routes
from potok.server.routes.models import add_model_routes
from potok.server.routes.projects import add_project_routes
from potok.server.routes.responses import add_response_routes
from potok.server.routes.runs import add_run_routes
from potok.server.routes.simple_chat import add_simple_chat_routes
from potok.server.routes.sockets import add_socket_routes
from potok.server.routes.ui_chat import add_ui_chat_routes
from potok.server.safety_layer import SafetyLayer
from potok.server.services import Services

__all__ = ["PotokApp", "build_app"]

_ROUTES = (
    add_run_routes,
    add_chat_completion_routes,
    add_response_routes,
    add_embedding_routes,
    add_ui_chat_routes,
    add_simple_chat_routes,
    add_app_routes,
    add_socket_routes,
    add_project_routes,
    add_chat_routes,
    add_chat_message_routes,
    add_chat_queue_routes,
    add_chat_transfer_routes,
    add_model_routes,
    add_health_routes,
    add_home_routes,
)


# Its clients show a reply's `x-request-id` to people who ask for help.
_OPENAI = "/v1/"


class PotokApp:
    """The whole server as one ASGI app.

    Its lifespan opens `services.runs` and `services.chats` at the start and closes them at the
    end; the log under it is opened and closed by whoever built it. `failure` is what kept it from
    opening, if anything.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.services = services
        self.failure: Exception | None = None
        self._faces = faces_of_apps(services)
        self._app = SafetyLayer(ProblemLayer(app), services.access)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            scope[FACES_IN_SCOPE] = self._faces
            if scope["type"] == "http" and scope["path"].startswith(_OPENAI):
                send = with_request_id(send, self.services.ids.run_id)
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.services.runs.open()
            if self.services.chats is not None:
                await self.services.chats.open()
        except Exception as error:
            # Without words: who started the server raises the error itself, once.
            self.failure = error
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.services.runs.close()
        if self.services.chats is not None:
            await self.services.chats.close()
        if self.services.apps is not None:
            await self.services.apps.close()
        await send({"type": "lifespan.shutdown.complete"})


def build_app(services: Services) -> PotokApp:
    """Return the server's app. Under another server than ours its readers end with the process."""
    app = FastAPI(
        title="Potok",
        version=services.about.version,
        summary="Durable streams of LLM answers and agent runs",
        description="Every answer is in a log before anybody sees it: read it, leave, come back.",
        # The pages of the framework load scripts from another server.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for add_routes in _ROUTES:
        add_routes(app, services)
    _handle_errors(app)
    _describe(app, faces_of_apps(services))
    return PotokApp(app, services)


def _describe(app: FastAPI, faces: Faces) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.describe(app, faces=faces)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _handle_errors(app: FastAPI) -> None:
    async def answer_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(_as_ours(error, request, app.routes), scope=request.scope)

    async def answer_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(_name_place(error), scope=request.scope)

    app.add_exception_handler(PotokError, answer_problem)
    app.add_exception_handler(Exception, answer_problem)
    app.add_exception_handler(HTTPException, answer_status)
    app.add_exception_handler(RequestValidationError, answer_invalid)


def _as_ours(error: HTTPException, request: Request, routes: Iterable[BaseRoute]) -> PotokError:
    path: str = request.scope["path"]
    served = [route for route in routes if isinstance(route, Route)]
    if error.status_code == 404:
        # `/v1/chat` -> what is served below `/v1`.
        family = "/" + path.split("/")[1] + "/"
        paths = dict.fromkeys(route.path_format for route in served)
        return PathUnknown(path, known=tuple(one for one in paths if one.startswith(family)))
    if error.status_code == 405:
        here = [route.methods or () for route in served if route.path_regex.match(path)]
        allowed = tuple(sorted({method for methods in here for method in methods}))
        return MethodRefused(request.method, path=path, allowed=allowed)
    return RequestInvalid(str(error.detail))


def _name_place(error: RequestValidationError) -> PotokError:
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"][1:])
    return RequestInvalid(f"`{place}`: {first['msg']}.", param=place)
