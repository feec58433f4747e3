"""Canonical JSON of events: one line, tag first, defaults left out, unknown kinds as they came.

`encode_event` gives `{"event":"text-delta","part":...}`; `encode_fields` gives the same object
without its tag, as the native SSE frames carry it (spec 5.1).
"""

from typing import Any, Union

import msgspec

from potok.errors import GrammarViolation
from potok.events.kinds import KINDS, Event, Unknown, kind_of

__all__ = ["canonical_json", "decode_event", "encode_event", "encode_fields"]

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
# The union is spelled from the table, so that a new kind cannot be forgotten here.
_known: Any = msgspec.json.Decoder(type=Union[tuple(KINDS.values())])  # noqa: UP007
_any_object = msgspec.json.Decoder(type=dict[str, Any])
# A torn line can hold half a letter, or nest without end.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TAG_BYTES = {kind: len(f'{{"event":"{kind}"') for kind in KINDS}


def canonical_json(value: object) -> bytes:
    """Return `value` as compact JSON with sorted keys: equal values give equal bytes."""
    return _encode_sorted(value)


def encode_event(event: Event) -> bytes:
    """Return the event as one line of JSON whose first key is `event`."""
    if type(event) is Unknown:
        return _encode({"event": event.kind} | _without_tag(event))
    return _encode(event)


def encode_fields(event: Event) -> bytes:
    """Return the event's fields as one line of JSON, without its kind."""
    if type(event) is Unknown:
        return _encode(_without_tag(event))
    whole = _encode(event)
    tag = _TAG_BYTES[kind_of(event)]
    # The tag comes first, so that the rest is a slice and not a second encoding.
    return b"{" + whole[tag + 1 :] if whole[tag] == 0x2C else b"{}"


def _without_tag(event: Unknown) -> dict[str, Any]:
    # A field of that name would change the event's kind.
    return {name: value for name, value in event.fields.items() if name != "event"}


def decode_event(line: bytes) -> Event:
    """Read what `encode_event` wrote; an unknown kind comes back as `Unknown`.

    Raises:
        GrammarViolation: the line is no event: the log holds what no Potok wrote.
    """
    try:
        event: Event = _known.decode(line)
    except msgspec.ValidationError:
        return _decode_unknown(line)
    except _UNREADABLE as error:
        raise GrammarViolation(f"an event is not JSON: {error}") from error
    return event


def _decode_unknown(line: bytes) -> Unknown:
    try:
        fields = _any_object.decode(line)
    except _UNREADABLE as error:
        raise GrammarViolation(f"an event is not a JSON object: {error}") from error
    kind = fields.pop("event", None)
    if not isinstance(kind, str) or kind in KINDS:
        raise GrammarViolation(f"an event of kind {kind!r} has wrong fields")
    return Unknown(kind=kind, fields=fields)
