"""Merges neighbouring deltas of one part, so that one commit holds one event for them."""

from collections.abc import Iterable, Sequence

import msgspec

from potok.events.envelope import StoredEvent
from potok.events.kinds import Event, ReasoningDelta, TextDelta, ToolDelta
from potok.limits import DELTA_CHARACTERS_MAX

__all__ = ["coalesce", "coalesce_stored"]

_Delta = TextDelta | ReasoningDelta | ToolDelta


def coalesce(events: Iterable[Event]) -> list[Event]:
    """Return the events with runs of deltas of one part joined; text and order stay the same.

    Deltas that carry `logprobs` or `extra` are left alone: their fields belong to their text.
    """
    joined: list[Event] = []
    gathered: list[_Delta] = []
    characters = 0
    for event in events:
        if not isinstance(event, _Delta) or _carries_more(event):
            _settle(gathered, joined)
            joined.append(event)
            continue
        characters += len(event.text)
        if gathered and (characters > DELTA_CHARACTERS_MAX or _owner(gathered[0]) != _owner(event)):
            _settle(gathered, joined)
        if not gathered:
            characters = len(event.text)
        gathered.append(event)
    _settle(gathered, joined)
    return joined


def coalesce_stored(stored: Sequence[StoredEvent]) -> list[StoredEvent]:
    """Return stored events joined likewise, each at the place of the last that is in it.

    For readers who lag, where a jump of the offset is taken for no loss.
    """
    joined: list[StoredEvent] = []
    for one in stored:
        pair = [joined[-1].event, one.event] if joined else [one.event]
        merged = coalesce(pair)
        if joined and len(merged) == 1:
            joined.pop()
        joined.append(msgspec.structs.replace(one, event=merged[-1]))
    return joined


def _carries_more(delta: _Delta) -> bool:
    return delta.extra is not None or getattr(delta, "logprobs", None) is not None


def _owner(delta: _Delta) -> tuple[type, str]:
    return type(delta), delta.call if isinstance(delta, ToolDelta) else delta.part


def _settle(gathered: list[_Delta], joined: list[Event]) -> None:
    if len(gathered) == 1:
        joined.append(gathered[0])
    elif gathered:
        first = gathered[0]
        text = "".join(delta.text for delta in gathered)
        tokens = sum(delta.tokens for delta in gathered)
        joined.append(msgspec.structs.replace(first, text=text, tokens=tokens))
    gathered.clear()
