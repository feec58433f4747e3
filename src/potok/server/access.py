"""The safety layer: which hosts, pages and callers may use the server, before a body is read.

A server on loopback asks for no login, so web pages elsewhere must not be able to use it in their
visitors' names. Three checks keep them out: the Host header (a foreign name that resolves to this
machine), the page's origin, and the content type that no form can send without asking first.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from potok import limits
from potok.errors import (
    BodyTooLarge,
    ContentTypeRefused,
    HostRefused,
    OriginRefused,
    PotokError,
    SettingInvalid,
)
from potok.server.body import ClientGone, counted, discard_body
from potok.server.headers import header_of, with_headers
from potok.server.principals import LocalPrincipal, Principals
from potok.server.problems import problem_response

__all__ = ["OPEN_PATHS", "Access", "SafetyLayer", "is_loopback", "principal_of"]

OPEN_PATHS = frozenset({"/", "/healthz", "/openapi.json"})
"""Served without a key: they say what the server is, and nothing of what it holds."""

_NO_PAGES_BELOW = ("/api/", "/v1/", "/ollama/")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<place>[^/?#@\s]+)", re.ASCII)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# What a page of an allowed origin may read of a reply.
_EXPOSED = b"X-Potok-Run, X-Request-Id, Retry-After"


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` is reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may use the server.

    Host names are checked on loopback, and wherever `hosts` lists some. On another address with a
    key and an empty list any name passes: a key is no cookie, a page that reaches the server under
    a name of its own has none, and in a container the server cannot know its names.

    Args:
        bind_host: What the server listens on.
        hosts: More names it answers for, without ports.
        cors_origins: Origins (`https://chat.example.com`) whose pages may use it; `*` for all,
            only where a key is needed.
    Raises:
        SettingInvalid: it would be open to everybody, or an origin is none.
    """

    bind_host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    principals: Principals = field(default_factory=LocalPrincipal)

    def __post_init__(self) -> None:
        if not self.principals.needs_key and not is_loopback(self.bind_host):
            raise SettingInvalid(
                f"A server on {self.bind_host} can be reached by others, so it needs a key: set"
                " POTOK_API_KEY, or listen on 127.0.0.1."
            )
        for origin in self.cors_origins:
            if origin == "*" and self.principals.needs_key:
                continue
            if _tidy_origin(origin) is None:
                raise SettingInvalid(
                    f"POTOK_CORS_ORIGINS lists {origin[:200]!r}, which is no origin. Write"
                    " `https://chat.example.com`: scheme, host and port alone; `*` only with"
                    " POTOK_API_KEY."
                )

    def answers_for(self, host: str) -> bool:
        """Whether a request with this Host header is meant for this server."""
        name = _name_in(host)
        if name is None:
            return False
        if not is_loopback(self.bind_host) and not self.hosts:
            return True
        own = _LOOPBACK_NAMES | {self.bind_host.lower().strip("[]")}
        return name in own or name in {listed.lower().strip("[]") for listed in self.hosts}

    def allows_origin(self, origin: str | None) -> bool:
        """Whether pages of another origin may use the server."""
        tidy = _tidy_origin(origin) if origin else None
        if tidy is None:
            return False
        return "*" in self.cors_origins or tidy in map(_tidy_origin, self.cors_origins)


def principal_of(scope: Scope) -> str:
    """Return who a request comes from, as the safety layer found out."""
    principal: str = scope["potok.principal"]
    return principal


class SafetyLayer:
    """Refuses what `Access` does not allow, and gives every reply its safety headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        is_http = scope["type"] == "http"
        if is_http:
            send = with_headers(send, *self._cors_headers(scope))
            receive = counted(receive)
        try:
            self._check(scope)
            if is_http and _is_preflight(scope):
                await _allow(scope)(scope, receive, send)
                return
            scope["potok.principal"] = self._who(scope)
            if is_http:
                _check_body(scope)
        except PotokError as error:
            await _refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        if is_probe(scope):
            # Probes of a container call by address; there is nothing to take.
            return
        hosts = [value for key, value in scope["headers"] if key == b"host"]
        host = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        if not self._access.answers_for(host):
            raise HostRefused(host)
        origin = header_of(scope, "origin")
        if not self._access.allows_origin(origin) and not _is_same_origin(scope, host, origin):
            raise OriginRefused(origin or "another site")

    def _who(self, scope: Scope) -> str:
        if scope["type"] == "http" and scope["path"] in OPEN_PATHS:
            return ""
        return self._access.principals.who(scope)

    def _cors_headers(self, scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
        origin = header_of(scope, "origin")
        if not self._access.cors_origins:
            return ()
        if origin is None or not self._access.allows_origin(origin):
            return ((b"vary", b"Origin"),)
        return (
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED),
        )


def is_probe(scope: Scope) -> bool:
    """Whether the request only asks if the server is alive."""
    return bool(scope["type"] == "http" and scope["path"] == "/healthz")


def _name_in(host: str) -> str | None:
    # `[::1]:8000` -> `::1`, `Localhost.:8000` -> `localhost`; anything odd is no name.
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", host.lower(), re.ASCII)
    if found is None:
        return None
    return found[1] or found[2].removesuffix(".")


def _tidy_origin(origin: str) -> str | None:
    found = _ORIGIN.fullmatch(origin.lower().removesuffix("/"))
    if found is None:
        return None
    return f"{found['scheme']}://{found['place'].removesuffix(_DEFAULT_PORTS.get(found['scheme'], ' '))}"


def _is_same_origin(scope: Scope, host: str, origin: str | None) -> bool:
    # A browser's own word counts most, and no page can forge it. It also holds behind a proxy
    # that changes the Host header. Browsers send it over HTTPS and to loopback only.
    site = header_of(scope, "sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none") or _is_page_visit(scope)
    if origin is None:
        return True
    found = _ORIGIN.fullmatch(origin.lower())
    if found is None:
        return False
    default = _DEFAULT_PORTS.get(found["scheme"], " ")
    return found["place"].removesuffix(default) == host.lower().removesuffix(default)


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
    # SDKs send many headers of their own (`x-stainless-...`): what an allowed page asks for, it gets.
    wanted = header_of(scope, "access-control-request-headers") or ""
    headers = {
        "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
        "access-control-max-age": str(limits.PREFLIGHT_KEPT_SECONDS),
    }
    if wanted:
        headers["access-control-allow-headers"] = wanted
    return Response(status_code=204, headers=headers)


def _check_body(scope: Scope) -> None:
    length = header_of(scope, "content-length")
    is_chunked = header_of(scope, "transfer-encoding") is not None
    if not is_chunked and (length is None or not length.strip("0")):
        return
    if length is not None and int(length) > limits.BODY_BYTES_MAX:
        raise BodyTooLarge(what="body", limit_bytes=limits.BODY_BYTES_MAX)
    if scope["method"] in _WITH_BODY and not _is_json(header_of(scope, "content-type") or ""):
        raise ContentTypeRefused(header_of(scope, "content-type") or "")


def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.lower().partition(";")
    if media_type.strip() != "application/json":
        return False
    name, _, charset = parameters.strip().partition("=")
    return name.strip() != "charset" or charset.strip(' "') in ("utf-8", "utf8", "us-ascii")


async def _refuse(error: PotokError, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem_response(error, path=scope["path"])
    if scope["type"] == "websocket":
        await _refuse_socket(answer, scope, receive, send)
        return
    if isinstance(error, BodyTooLarge) and header_of(scope, "expect") is None:
        await _discard(receive)
    await answer(scope, receive, send)


async def _discard(receive: Receive) -> None:
    try:
        await discard_body(receive)
    except (BodyTooLarge, ClientGone):
        return


async def _refuse_socket(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    if "websocket.http.response" in _extensions_of(scope):
        await answer(scope, receive, _as_socket_denial(send))
    else:
        # Closing before the handshake is a 403.
        await send({"type": "websocket.close", "code": 1008})


def _extensions_of(scope: Scope) -> Mapping[str, object]:
    extensions: Mapping[str, object] | None = scope.get("extensions")
    return extensions or {}


def _as_socket_denial(send: Send) -> Send:
    async def denying(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return denying
