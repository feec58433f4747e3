"""What is still to be said of an answer, as events, after what the log already holds of it."""

from collections.abc import Iterator, Sequence

from potok.errors import UpstreamMalformed
from potok.events.fold import Message, Part
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)
from potok.models.demo.composition import Composition

__all__ = ["remaining_events"]

_REASONING = "reasoning-1"
_TEXT = "text-1"


def remaining_events(composition: Composition, said: Message | None) -> Iterator[Event]:
    """Return the events that follow `said`, one delta for each piece; all of them if it is None.

    A piece that was cut comes with its rest only, and is counted as a token once.

    Raises:
        UpstreamMalformed: `said` is not the beginning of this answer; nothing may be added to it.
    """
    planned = _planned(composition)
    if said is None:
        return _events(planned, [None] * len(planned), composition, usage=True)
    if said.outcome is not None:
        return iter(())
    return _events(
        planned,
        _places(planned, said),
        composition,
        usage=not _is_told(said.usage, composition.usage),
    )


_Planned = tuple[str, str, tuple[str, ...]]
"""Kind, part id and pieces of one part."""

_Place = tuple[int, int, bool] | None
"""Where a begun part goes on: piece, character in it, whether that piece was counted; or None."""

_ENDED: _Place = (-1, 0, True)


def _planned(composition: Composition) -> list[_Planned]:
    parts: list[_Planned] = []
    if composition.reasoning:
        parts.append(("reasoning", _REASONING, composition.reasoning))
    if composition.text:
        parts.append(("text", _TEXT, composition.text))
    return parts


def _is_told(told: Usage | None, usage: Usage) -> bool:
    """Tell whether usage was said; whoever ran the model may have added its speed to it."""
    return told is not None and (
        (told.prompt_tokens, told.completion_tokens, told.reasoning_tokens)
        == (usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens)
    )


def _places(planned: list[_Planned], said: Message) -> list[_Place]:
    """Find for each planned part where it goes on."""
    begun = [part for part in said.parts if part.type != "data"]
    places: list[_Place] = []
    counted = said.tokens
    for (kind, name, pieces), part in zip(planned, begun, strict=False):
        is_last = part is begun[-1]
        if (part.type, part.id) != (kind, name) or (part.state != "done" and not is_last):
            raise _other_answer()
        place, counted = _place_in(pieces, part, counted)
        places.append(place)
    if len(begun) > len(planned):
        raise _other_answer()
    return places + [None] * (len(planned) - len(places))


def _place_in(pieces: Sequence[str], part: Part, counted: int) -> tuple[_Place, int]:
    """Return where a part goes on, and how many counted tokens belong to later parts."""
    whole = "".join(pieces)
    if part.state == "done" and part.text == whole:
        return _ENDED, counted - len(pieces)
    if part.state != "open" or not whole.startswith(part.text):
        raise _other_answer()
    left = len(part.text)
    for at, piece in enumerate(pieces):
        if left < len(piece):
            return (at, left, counted > at), 0
        left -= len(piece)
    return (len(pieces), 0, True), 0


def _other_answer() -> UpstreamMalformed:
    return UpstreamMalformed(
        "The answer that was begun is not the one that this version of the demo model gives, so it"
        " cannot go on from there. Start a new run."
    )


def _events(
    planned: list[_Planned], places: list[_Place], composition: Composition, *, usage: bool
) -> Iterator[Event]:
    for (kind, name, pieces), place in zip(planned, places, strict=True):
        if place != _ENDED:
            is_text = kind == "text"
            yield from _text(name, pieces, place) if is_text else _thought(name, pieces, place)
    if usage:
        yield composition.usage
    yield RunEnd(outcome="finished", finish_reason=composition.finish_reason)


def _text(name: str, pieces: Sequence[str], place: _Place) -> Iterator[Event]:
    if place is None:
        yield TextStart(part=name)
        place = (0, 0, False)
    first, cut, is_counted = place
    if cut:
        yield TextDelta(part=name, text=pieces[first][cut:], tokens=0 if is_counted else 1)
        first += 1
    for at in range(first, len(pieces)):
        yield TextDelta(part=name, text=pieces[at])
    yield TextEnd(part=name)


def _thought(name: str, pieces: Sequence[str], place: _Place) -> Iterator[Event]:
    if place is None:
        yield ReasoningStart(part=name)
        place = (0, 0, False)
    first, cut, is_counted = place
    if cut:
        yield ReasoningDelta(part=name, text=pieces[first][cut:], tokens=0 if is_counted else 1)
        first += 1
    for at in range(first, len(pieces)):
        yield ReasoningDelta(part=name, text=pieces[at])
    yield ReasoningEnd(part=name)
