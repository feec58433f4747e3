"""Cursors of lists: opaque to clients, and good for the list that gave them alone.

A cursor holds the place of a page's last item, and a mark of its list and filters. It is no secret
and no permission: whoever changes one gets another place of a list that is theirs.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

import msgspec

from potok.errors import CursorInvalid
from potok.events.json_form import canonical_json

__all__ = ["decode_cursor", "encode_cursor"]

_MARK_CHARACTERS = 12
_CURSOR_CHARACTERS_MAX = 200
_decode = msgspec.json.Decoder(tuple[str, float, int]).decode


def encode_cursor(of: tuple[object, ...], place: float, item: int) -> str:
    """Return the cursor after an item.

    Args:
        of: The list's name and its filters.
    """
    packed = msgspec.json.encode((_mark(of), place, item))
    return urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(cursor: str | None, of: tuple[object, ...]) -> tuple[float, int] | None:
    """Return the place in a cursor, None for none.

    Raises:
        CursorInvalid: it is garbage, or of another list.
    """
    if not cursor:
        return None
    if len(cursor) > _CURSOR_CHARACTERS_MAX or not cursor.isascii():
        raise CursorInvalid
    try:
        mark, place, item = _decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise CursorInvalid from error
    if mark != _mark(of) or not -(2**53) < item < 2**53:
        raise CursorInvalid
    return place, item


def _mark(of: tuple[object, ...]) -> str:
    return sha256(canonical_json(of)).hexdigest()[:_MARK_CHARACTERS]
