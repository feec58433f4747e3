"""How a browser's socket says its key: as a subprotocol, for it can set no header of its own.

A page opens `new WebSocket(address, ["potok", "bearer." + key])` with the key in base64url
without padding, since a subprotocol takes few characters. The address would be the other place,
and addresses end up in logs. Only `potok` is answered, so the key never comes back.
"""

import base64
import binascii

from starlette.types import Scope

__all__ = ["SUBPROTOCOL", "key_in_subprotocols", "subprotocol_of"]

SUBPROTOCOL = "potok"
_BEARER = "bearer."


def subprotocol_of(scope: Scope) -> str | None:
    """Return the subprotocol to answer with: browsers that offered some wait for one of them."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None


def key_in_subprotocols(scope: Scope) -> str:
    """Return the key that a socket's handshake carries; empty for none, or one of another form."""
    for offered in scope.get("subprotocols", ()):
        if offered.startswith(_BEARER):
            return _decode(offered.removeprefix(_BEARER))
    return ""


def _decode(word: str) -> str:
    try:
        padded = word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
