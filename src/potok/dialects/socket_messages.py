"""Messages of `/api/ws`, one socket for many runs: what is asked, and what is answered (spec 9).

Events are `native.encode_message` with their run.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from potok.dialects.error_facts import facts_of
from potok.dialects.line_safe import encode_json
from potok.errors import PotokError, RequestInvalid, RunNotFound
from potok.events.envelope import Place, parse_place
from potok.events.messages import json_word
from potok.events.run_request import JsonObject
from potok.limits import IDEMPOTENCY_KEY_CHARACTERS_MAX, NAME_CHARACTERS_MAX

__all__ = [
    "CancelRun",
    "Operation",
    "Ping",
    "Ref",
    "StartRun",
    "Subscribe",
    "Unsubscribe",
    "cancelled",
    "ended",
    "error_message",
    "parse_operation",
    "pong",
    "read_idempotency_key",
    "ref_of",
    "started",
]

Ref = str | int | None
"""A client's own name for one of its messages: it comes back with whatever answers it."""


class StartRun(msgspec.Struct, frozen=True):
    """Start a run, or find the one that the key started, and follow it; `body` is unchecked."""

    ref: Ref
    body: JsonObject
    idempotency_key: str | None = None


class Subscribe(msgspec.Struct, frozen=True):
    """Follow a run after a place; None is the start, asked for by a new reader."""

    ref: Ref
    run: str
    place: Place | None = None


class Unsubscribe(msgspec.Struct, frozen=True):
    """Follow a run no longer."""

    ref: Ref
    run: str


class CancelRun(msgspec.Struct, frozen=True):
    """Make a run end."""

    ref: Ref
    run: str


class Ping(msgspec.Struct, frozen=True):
    """Ask for a sign of life."""

    ref: Ref


Operation = StartRun | Subscribe | Unsubscribe | CancelRun | Ping


def parse_operation(message: JsonObject) -> Operation:
    """Return what a message asks for.

    Raises:
        RequestInvalid: a field is wrong; `param` names it.
        OffsetInvalid: `after` is no place.
        RunNotFound: `after` is a place of another run.
    """
    ref = _read_ref(message.get("ref"))
    name = message.get("op")
    parse = _PARSERS.get(name) if isinstance(name, str) else None
    if parse is None:
        if name is None and "messages" in message:
            raise RequestInvalid(
                'Send {"op": "start", "run": {"model", "messages"}} here; messages of simple chat'
                " go to /ws.",
                param="op",
            )
        raise RequestInvalid(f"`op` must be one of {', '.join(_PARSERS)}.", param="op")
    return parse(message, ref)


def ref_of(message: JsonObject) -> Ref:
    """Return the message's ref, None if it has none that can come back."""
    try:
        return _read_ref(message.get("ref"))
    except RequestInvalid:
        return None


def _read_ref(ref: object) -> Ref:
    if ref is None or (isinstance(ref, int) and not isinstance(ref, bool)):
        return ref
    if isinstance(ref, str) and len(ref) <= NAME_CHARACTERS_MAX:
        return ref
    raise RequestInvalid(
        f"`ref` must be an integer or a string of at most {NAME_CHARACTERS_MAX} characters.",
        param="ref",
    )


def _parse_start(message: JsonObject, ref: Ref) -> StartRun:
    body = message.get("run")
    if not isinstance(body, dict):
        raise RequestInvalid(
            f"`run` must be an object as POST /api/runs takes it, not {json_word(body)}.",
            param="run",
        )
    return StartRun(ref=ref, body=body, idempotency_key=read_idempotency_key(message))


def read_idempotency_key(message: JsonObject) -> str | None:
    """Return a message's `idempotency_key`; an empty one counts as absent.

    Raises:
        RequestInvalid: it is no string, or too long.
    """
    key = message.get("idempotency_key")
    if key is None or key == "":
        return None
    if not isinstance(key, str) or len(key) > IDEMPOTENCY_KEY_CHARACTERS_MAX:
        raise RequestInvalid(
            "`idempotency_key` must be a string of at most"
            f" {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters, such as a UUID.",
            param="idempotency_key",
        )
    return key


def _parse_subscribe(message: JsonObject, ref: Ref) -> Subscribe:
    run, after = _read_run(message), message.get("after")
    if after is None or after == "":
        return Subscribe(ref=ref, run=run)
    if not isinstance(after, str):
        raise RequestInvalid(
            f"`after` must be an event's `id`, which is a string, not {json_word(after)}.",
            param="after",
        )
    place = parse_place(after)
    if place.run is not None and place.run != run:
        raise RunNotFound(place.run)
    return Subscribe(ref=ref, run=run, place=place)


def _read_run(message: JsonObject) -> str:
    run = message.get("run")
    if not isinstance(run, str) or not run:
        raise RequestInvalid(
            f"`run` must be a run's id, which is a string, not {json_word(run)}.", param="run"
        )
    return run


_PARSERS: dict[str, Callable[[JsonObject, Ref], Operation]] = {
    "start": _parse_start,
    "subscribe": _parse_subscribe,
    "unsubscribe": lambda message, ref: Unsubscribe(ref=ref, run=_read_run(message)),
    "cancel": lambda message, ref: CancelRun(ref=ref, run=_read_run(message)),
    "ping": lambda message, ref: Ping(ref=ref),
}


def started(ref: Ref, *, run: str, status: str, created: bool) -> bytes:
    """Return the answer to a start; `created` is false where the key had started the run."""
    return _say("started", ref, run=run, status=status, created=created)


def cancelled(ref: Ref, *, run: str, status: str) -> bytes:
    """Return the answer to a cancel; `status` is `running` where the run's end takes longer."""
    return _say("cancelled", ref, run=run, status=status)


def ended(ref: Ref, *, run: str) -> bytes:
    """Return the answer to a subscribe at the end of a run that has ended: nothing will follow."""
    return _say("ended", ref, run=run)


def pong(ref: Ref = None) -> bytes:
    """Return a sign of life: the answer to a ping, or one of the server's own accord."""
    return _say("pong", ref)


def error_message(error: PotokError, ref: Ref = None, *, run: str | None = None) -> bytes:
    """Return the answer to a refused message, or the end of a subscription that broke."""
    place = {} if run is None else {"run": run}
    facts = {**place, **facts_of(error)}
    return _say("error", ref, code=error.code, message=error.message, **facts)


def _say(op: str, ref: Ref, **fields: Any) -> bytes:
    own = {"op": op} if ref is None else {"op": op, "ref": ref}
    return encode_json({**own, **fields})
