"""The outermost ASGI layer: refuses what `Access` does not allow, before a body is read.

Three checks keep foreign pages out: the Host header (a foreign name that resolves to this
machine), the page's origin, and the content type that no form can send without asking first.
"""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from potok import limits
from potok.errors import (
    BodyTooLarge,
    ContentTypeRefused,
    HostRefused,
    OriginRefused,
    PotokError,
    RequestInvalid,
)
from potok.server.access import Access, is_origin_of_host
from potok.server.body import counted, discard_body
from potok.server.headers import header_of, with_headers
from potok.server.problems import problem_response
from potok.server.socket_refusal import refuse_socket
from potok.server.static_ui import AGENTS_PAGE, ASSETS_BELOW

__all__ = ["OPEN_PATHS", "SafetyLayer", "principal_of"]

OPEN_PATHS = frozenset({"/", AGENTS_PAGE, "/healthz", "/openapi.json"})
"""Served over HTTP without a key, as the page's assets are: they say what the server is, and
nothing of what it holds."""

_NO_PAGES_BELOW = ("/api/", "/v1/", "/ollama/")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# What a page of an allowed origin may read of a reply.
_EXPOSED = b"X-Potok-Run, X-Potok-Heartbeat, X-Request-Id, X-Should-Retry, Retry-After, Location"


def principal_of(scope: Scope) -> str:
    """Return who a request comes from, as the safety layer found out; empty on open paths."""
    principal: str = scope["potok.principal"]
    return principal


class SafetyLayer:
    """Wraps HTTP and WebSocket requests; also gives every reply its safety and CORS headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_http = scope["type"] == "http"
        if is_http:
            send = with_headers(send, *self._cors_headers(scope))
        try:
            self._check_sender(scope)
            if is_http and _is_preflight(scope):
                await _allow(scope)(scope, receive, send)
                return
            scope["potok.principal"] = self._who(scope)
            if is_http:
                _check_body(scope)
        except PotokError as error:
            await _refuse(error, scope, receive, send)
            return
        await self._app(scope, counted(receive) if is_http else receive, send)

    def _check_sender(self, scope: Scope) -> None:
        if scope["type"] == "http" and scope["path"] == "/healthz":
            # A container's probes call by address, and there is nothing to take.
            return
        hosts = [value for key, value in scope["headers"] if key == b"host"]
        host = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        if not self._access.answers_for(host):
            raise HostRefused(host)
        origin = header_of(scope, "origin")
        if not self._access.allows_origin(origin) and not _is_same_origin(scope, host, origin):
            raise OriginRefused(origin or "another site")

    def _who(self, scope: Scope) -> str:
        if scope["type"] == "http" and _is_open(scope["path"]):
            return ""
        return self._access.principals.who(scope)

    def _cors_headers(self, scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
        if not self._access.cors_origins:
            return ()
        varies = (b"vary", b"Origin")
        origin = header_of(scope, "origin")
        if origin is None or not self._access.allows_origin(origin):
            return (varies,)
        return (
            varies,
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED),
        )


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(ASSETS_BELOW)


def _is_same_origin(scope: Scope, host: str, origin: str | None) -> bool:
    # A browser's own word counts most: no page can forge it, and it holds behind a proxy that
    # changes the Host header. Browsers send it over HTTPS and to loopback only.
    site = header_of(scope, "sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none") or _is_page_visit(scope)
    return origin is None or is_origin_of_host(origin, host)


def _is_page_visit(scope: Scope) -> bool:
    # A link on another site may lead to a page of ours: it reads nothing and starts nothing.
    path: str = scope["path"]
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and header_of(scope, "sec-fetch-mode") == "navigate"
        and header_of(scope, "sec-fetch-dest") == "document"
        and not path.startswith(_NO_PAGES_BELOW)
    )


def _is_preflight(scope: Scope) -> bool:
    return (
        scope["method"] == "OPTIONS"
        and header_of(scope, "origin") is not None
        and header_of(scope, "access-control-request-method") is not None
    )


def _allow(scope: Scope) -> Response:
    # SDKs send many headers of their own (`x-stainless-...`): an allowed page gets what it asks.
    wanted = header_of(scope, "access-control-request-headers") or ""
    headers = {
        "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
        "access-control-max-age": str(limits.PREFLIGHT_KEPT_SECONDS),
    }
    if wanted:
        headers["access-control-allow-headers"] = wanted
    return Response(status_code=204, headers=headers)


def _check_body(scope: Scope) -> None:
    length = header_of(scope, "content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise RequestInvalid(f"Content-Length is {length[:40]!r}, which is no number of bytes.")
    if int(length) > limits.BODY_BYTES_MAX:
        raise BodyTooLarge(what="body", limit_bytes=limits.BODY_BYTES_MAX)
    has_body = int(length) > 0 or header_of(scope, "transfer-encoding") is not None
    content_type = header_of(scope, "content-type") or ""
    if has_body and scope["method"] in _WITH_BODY and not _is_json(content_type):
        raise ContentTypeRefused(content_type)


def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.lower().partition(";")
    if media_type.strip() != "application/json":
        return False
    name, _, charset = parameters.strip().partition("=")
    return name.strip() != "charset" or charset.strip(' "') in ("utf-8", "utf8", "us-ascii")


async def _refuse(error: PotokError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await refuse_socket(error, scope, receive, send)
        return
    answer = problem_response(error, scope=scope)
    if isinstance(error, BodyTooLarge) and header_of(scope, "expect") is None:
        await discard_body(receive)
    await answer(scope, receive, send)
