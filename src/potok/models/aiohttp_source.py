"""The byte source on aiohttp: one session, one pool, made in the loop that first uses it."""

import asyncio
import importlib
import io
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING

from potok.errors import UpstreamLost, UpstreamUnreachable
from potok.limits import UPSTREAM_IDLE_SECONDS
from potok.models.byte_source import UpstreamCall, UpstreamReply

if TYPE_CHECKING:
    import aiohttp

__all__ = ["AiohttpSource", "load_aiohttp"]

_is_loaded = False


async def load_aiohttp() -> None:
    """Import aiohttp, which takes a quarter of a second, beside the event loop.

    A server does so once it is ready, for the first call's sake. Callers who come meanwhile wait
    in threads too: an import that another thread has begun would hold the loop up as well.
    """
    global _is_loaded
    if not _is_loaded:
        await asyncio.to_thread(importlib.import_module, "aiohttp")
        _is_loaded = True


class AiohttpSource:
    """Calls over aiohttp.

    Args:
        uses_environment_proxies: Whether HTTP_PROXY and the like are obeyed.
    """

    def __init__(self, *, uses_environment_proxies: bool = False) -> None:
        self._uses_environment_proxies = uses_environment_proxies
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False
        # aiohttp forgets readers when its session closes: they would wait for ever.
        self._replies: weakref.WeakSet[_AiohttpReply] = weakref.WeakSet()

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        await load_aiohttp()
        import aiohttp

        session = self._opened(call)
        fault: UpstreamUnreachable | UpstreamLost
        try:
            response = await session.request(
                call.method,
                call.url,
                headers=call.headers,
                # From a buffer aiohttp sends a large body in pieces, and does not hold the loop.
                data=None if call.body is None else io.BytesIO(call.body),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=call.connect_seconds),
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            fault = _unreachable(call.provider, error)
        except (aiohttp.ClientError, OSError, RuntimeError):
            fault = _lost(call.provider)
        else:
            reply = _AiohttpReply(
                response,
                provider=call.provider,
                faults=(aiohttp.ClientError, OSError, RuntimeError),
            )
            self._replies.add(reply)
            return reply
        # Raised out here, without a cause: some errors of aiohttp carry the request's headers.
        raise fault

    async def close(self) -> None:
        self._is_closed = True
        for reply in list(self._replies):
            await reply.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self, call: UpstreamCall) -> "aiohttp.ClientSession":
        import aiohttp

        if self._is_closed:
            raise _lost(call.provider)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # The adapter counts calls, so that those who wait are served in order.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=UPSTREAM_IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._uses_environment_proxies,
            )
        return self._session


class _AiohttpReply:
    """One response. aiohttp itself gives its connection back once the body was read to its end."""

    __slots__ = ("__weakref__", "_faults", "_is_closed", "_provider", "_read", "_response")

    def __init__(
        self,
        response: "aiohttp.ClientResponse",
        *,
        provider: str,
        faults: tuple[type[Exception], ...],
    ) -> None:
        self._response = response
        self._faults = faults
        self._read = response.content.readany
        self._provider = provider
        self._is_closed = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self._response.headers.items()}

    async def read(self) -> bytes:
        try:
            return await self._read()
        except self._faults as error:
            raise _lost(self._provider) from error

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            # `close` would first send what is still in the buffer of a large request.
            connection.transport.abort()
        self._response.close()
        # The loop closes the socket in its next round.
        await asyncio.sleep(0)


def _unreachable(provider: str, error: Exception) -> UpstreamUnreachable:
    # Only the system's own words: an address may hold a password.
    cause = getattr(error, "os_error", None)
    why = getattr(cause, "strerror", None) or "no answer in time"
    return UpstreamUnreachable(
        f"The provider {provider} cannot be reached ({why}). Is it running? Check its base URL."
    )


def _lost(provider: str) -> UpstreamLost:
    return UpstreamLost(
        f"The connection to the provider {provider} broke before its answer was whole. Try again."
    )
