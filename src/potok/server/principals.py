"""Who is asking: reads the credentials of a request, and decides nothing else."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Scope

from potok.errors import Unauthorized
from potok.server.headers import header_of
from potok.server.socket_keys import key_in_subprotocols

__all__ = ["LOCAL", "KeyedPrincipals", "LocalPrincipal", "Principals"]

LOCAL = "local"
"""The one principal of a server without accounts; stored on every record."""


class Principals(Protocol):
    """Tells who a request comes from."""

    @property
    def needs_key(self) -> bool:
        """Whether requests without a key are refused."""
        ...

    def who(self, scope: Scope) -> str:
        """Return the principal of an HTTP or WebSocket request.

        Raises:
            Unauthorized: the key is missing or wrong.
        """
        ...


class LocalPrincipal:
    """Everybody is the same person; a key is ignored, and may be sent: SDKs insist on one."""

    needs_key = False

    def who(self, scope: Scope) -> str:
        return LOCAL


@dataclass(frozen=True, slots=True)
class KeyedPrincipals:
    """Each key names a principal: `{POTOK_API_KEY: LOCAL}`, or several where several are tested."""

    keys: Mapping[str, str]

    @property
    def needs_key(self) -> bool:
        return True

    def who(self, scope: Scope) -> str:
        given = _bearer_of(scope).encode()
        found: str | None = None
        # All keys are compared, in constant time each: how long it takes tells nothing.
        for key, principal in self.keys.items():
            if hmac.compare_digest(key.encode(), given):
                found = principal
        if found is None or not given:
            raise Unauthorized
        return found


def _bearer_of(scope: Scope) -> str:
    scheme, _, token = (header_of(scope, "authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return key_in_subprotocols(scope) if scope["type"] == "websocket" else ""
