"""Exception -> HTTP answer: one table of statuses, and the shape of the face that was called.

Nothing of a request's content, of a key or of a traceback gets into a body or a log line.
"""

import asyncio
import logging
import re
import traceback
from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from potok import errors
from potok.dialects.ai_sdk_ui import AiSdkUiSse
from potok.dialects.dialect import Dialect
from potok.dialects.native import NativeSse
from potok.dialects.openai_chat import OpenAiChatSse
from potok.dialects.simple_chat import SimpleChatSse
from potok.errors import PotokError
from potok.server.body import ClientGone

__all__ = [
    "FACES_IN_SCOPE",
    "RUN_IN_SCOPE",
    "Faces",
    "ProblemLayer",
    "answer_problem",
    "face_of",
    "may_be_sent_again",
    "problem_response",
    "report",
    "respond",
    "status_of",
]

FACES_IN_SCOPE = "potok.faces"
"""Where the server notes the faces of apps: beginnings of paths, and their dialects."""

RUN_IN_SCOPE = "potok.run"
"""Where a route notes the run that it started: errors that come later name it, too."""

_logger = logging.getLogger("potok.server")
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)

_STATUSES: dict[type[PotokError], int] = {
    # Whole families first; a class without its own row takes its family's.
    errors.CallerError: 400,
    errors.PeerError: 502,
    errors.TryAgain: 503,
    errors.SetupError: 500,
    errors.OurBug: 500,
    PotokError: 500,
    errors.Unauthorized: 401,
    errors.OriginRefused: 403,
    errors.HostRefused: 403,
    errors.ModelUnknown: 404,
    errors.RunNotFound: 404,
    errors.ChatNotFound: 404,
    errors.PathUnknown: 404,
    errors.MethodRefused: 405,
    errors.BodyTooSlow: 408,
    errors.IdempotencyConflict: 409,
    errors.ChatBusy: 409,
    errors.ResponseBusy: 409,
    errors.OffsetExpired: 410,
    errors.LogLost: 410,
    errors.BodyTooLarge: 413,
    errors.MessageTooLarge: 413,
    errors.ContentTypeRefused: 415,
    errors.UpstreamBusy: 429,
    errors.UpstreamLimited: 429,
    errors.UpstreamRejected: 400,
    errors.UpstreamStalled: 504,
    errors.PromptTooLong: 400,
}
_RETRY_AFTER_SECONDS: dict[type[PotokError], int] = {
    errors.LogUnavailable: 1,
    errors.ChatsUnavailable: 1,
    errors.UpstreamBusy: 2,
    errors.ServerDraining: 3,
}
# What OpenAI's SDKs send again by themselves, besides everything from 500 on.
_SENT_AGAIN = frozenset({408, 409, 429})

Faces = tuple[tuple[str, Dialect], ...]

_FACES: Faces = (
    ("/v1", OpenAiChatSse()),
    ("/api/chat", SimpleChatSse()),
    ("/api/ui", AiSdkUiSse()),
)
_NATIVE: Dialect = NativeSse()


def status_of(error: PotokError) -> int:
    """Return the HTTP status of an error, by its class or the nearest one above it."""
    for known in type(error).__mro__:
        if known in _STATUSES:
            return _STATUSES[known]
    return 500


def may_be_sent_again(code: str) -> bool:
    """Whether a run that failed with `code` may succeed when it is started anew."""
    return any(kind.retryable for kind in _all_kinds(PotokError) if kind.code == code)


def _all_kinds(kind: type[PotokError]) -> Iterator[type[PotokError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _all_kinds(below)


def face_of(path: str, faces: Faces = ()) -> Dialect:
    """Return the dialect whose error shape the path's callers read; `faces` are those of apps."""
    for prefix, dialect in (*faces, *_FACES):
        if path == prefix or path.startswith(prefix + "/"):
            return dialect
    return _NATIVE


def problem_response(error: PotokError, *, scope: Scope) -> Response:
    """Return the answer to a request that failed with `error`."""
    face = face_of(scope["path"], scope.get(FACES_IN_SCOPE, ()))
    return respond(
        face.encode_error(error),
        status=status_of(error),
        retryable=error.retryable,
        headers=_headers_of(error),
    )


def respond(
    body: bytes, *, status: int, retryable: bool, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error answer, which tells OpenAI's SDKs when sending again is useless."""
    more = dict(headers or {})
    if not retryable and (status in _SENT_AGAIN or status >= 500):
        more["x-should-retry"] = "false"
    return Response(body, status_code=status, headers=more, media_type="application/json")


def _headers_of(error: PotokError) -> dict[str, str]:
    headers = {}
    if isinstance(error, errors.Unauthorized):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, errors.MethodRefused) and error.allowed:
        headers["allow"] = ", ".join(error.allowed)
    if isinstance(error, errors.BodyTooLarge | errors.BodyTooSlow):
        # What is left of the body is not read: the connection cannot serve another request.
        headers["connection"] = "close"
    if isinstance(error, errors.UpstreamRefused) and error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(0, round(error.retry_after_seconds)))
    for kind, seconds in _RETRY_AFTER_SECONDS.items():
        if isinstance(error, kind):
            headers["retry-after"] = str(seconds)
    return headers


class ProblemLayer:
    """The outermost catch: an unexpected exception becomes a 500, or cuts a begun answer.

    Returning from a begun answer without its last chunk makes the server close the connection,
    so that no client takes the half for the whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        def noting(message: Message) -> object:
            nonlocal started
            started = True
            return send(message)

        try:
            await self._app(scope, receive, noting)  # type: ignore[arg-type]
        except ClientGone:
            return
        except asyncio.CancelledError:
            # The server goes down and waits no longer for this request.
            if not started:
                await _answer(errors.ServerDraining(), scope)(scope, receive, send)
            raise
        except Exception as error:
            if not isinstance(error, PotokError):
                report(error, doing=f"{scope['method']} {_shape_of(scope)}")
            if not started:
                await _answer(error, scope)(scope, receive, send)


def _our_bug() -> PotokError:
    return errors.OurBug("Potok failed on this request; its log says where. Please report it.")


def _shape_of(scope: Scope) -> str:
    # The route, not the path: a path may carry what a person typed.
    route = str(getattr(scope.get("route"), "path", "")) or "an unknown path"
    run = scope.get(RUN_IN_SCOPE) or str(scope.get("path_params", {}).get("run", ""))
    return f"{route} (run {run})" if _RUN_ID.fullmatch(run) else route


def report(error: BaseException, *, doing: str) -> None:
    """Log an unexpected exception: its kind and where it was raised, not its words.

    An exception's words often quote the value it stumbled over: a prompt, or a key.
    """
    places = traceback.extract_tb(error.__traceback__)
    path = " <- ".join(
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(places)
    )
    _logger.error("%s failed: %s at %s", doing, type(error).__name__, path)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer what a route raised; for the framework's table of handlers."""
    if isinstance(error, errors.OurBug):
        report(error, doing=f"{request.method} {_shape_of(request.scope)}")
    return _answer(error, request.scope)


def _answer(error: Exception, scope: Scope) -> Response:
    known = error if isinstance(error, PotokError) else _our_bug()
    answer = problem_response(known, scope=scope)
    if RUN_IN_SCOPE in scope:
        answer.headers["x-potok-run"] = scope[RUN_IN_SCOPE]
    return answer
