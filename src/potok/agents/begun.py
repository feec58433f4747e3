"""An answer that goes on in another run than the one that began it. Pure."""

import msgspec

from potok.events.fold import Message, Part
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
)

__all__ = ["Reopened", "whole_of"]

_STARTS = (TextStart, ReasoningStart)
_DELTAS = (TextDelta, ReasoningDelta)
_ENDS = (TextEnd, ReasoningEnd)


def whole_of(begun: Message, said: Message | None) -> Message:
    """Return an answer so far: what stood before its run, and what the run has said.

    Args:
        begun: Parts that may go on are `open`.
        said: None for nothing yet. A part that went on has the name that it had before.
    """
    whole = msgspec.structs.replace(
        begun if said is None else said,
        parts=[msgspec.structs.replace(part) for part in begun.parts],
    )
    places = {part.id: place for place, part in enumerate(whole.parts)}
    for part in said.parts if said is not None else ():
        place = places.get(part.id)
        if place is None:
            whole.parts.append(part)
            continue
        before: Part = whole.parts[place]
        whole.parts[place] = msgspec.structs.replace(part, text=before.text + part.text)
    return whole


class Reopened:
    """Fits the events of such a run into its own log, which has not begun the open parts.

    Args:
        said: What the run's log already holds, None for nothing.
    """

    def __init__(self, begun: Message, said: Message | None) -> None:
        started = set() if said is None else {part.id for part in said.parts}
        self._waiting = {part.id for part in begun.parts} - started

    def take(self, events: list[Event]) -> list[Event]:
        """Return the events as the log takes them; may be none."""
        if not self._waiting:
            return events
        fitted: list[Event] = []
        for event in events:
            name = getattr(event, "part", None)
            if name not in self._waiting:
                fitted.append(event)
            elif isinstance(event, _DELTAS):
                self._waiting.discard(name)
                is_text = isinstance(event, TextDelta)
                start = TextStart if is_text else ReasoningStart
                fitted += [start(part=event.part, choice=event.choice), event]
            elif isinstance(event, _STARTS):
                self._waiting.discard(name)
                fitted.append(event)
            else:
                # It ends, or is taken back, without a word in this run.
                assert isinstance(event, (*_ENDS, PartDiscard)), "the only others that name a part"
        return fitted
