"""The seam under the adapters: one HTTP call out, the bytes of its reply in.

Owns no protocol above HTTP. Another client library, or a recorded stream, takes its place here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["ByteSource", "UpstreamCall", "UpstreamReply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCall:
    """One HTTP call. Headers hold the key and the body holds the prompt: neither is in a repr.

    `connect_seconds` bounds the making of the connection, name look-up and TLS included; all
    other waits are the caller's.
    """

    provider: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    connect_seconds: float


class UpstreamReply(Protocol):
    """A reply whose status and headers are here and whose body is coming."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    async def read(self) -> bytes:
        """Wait for more of the body and return all that is there; empty is its end.

        Raises:
            UpstreamLost: the connection broke, or was closed here.
        """
        ...

    async def close(self) -> None:
        """Close the connection at once, unless the body was read to its end; may be repeated.

        A half-read connection never serves another call. The upstream has been told when this
        returns, also if the wait in it is cancelled.
        """
        ...


class ByteSource(Protocol):
    """Makes calls to one provider, over connections of its own."""

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        """Send a call and wait for the status and headers; redirects are not followed.

        Raises:
            UpstreamUnreachable: no connection could be made.
            UpstreamLost: it broke before the headers came.
        Cancelling closes the connection.
        """
        ...

    async def close(self) -> None:
        """Close all connections; reads under way end with `UpstreamLost`."""
        ...
