import pytest

from potok.dialects.dialect import Reading
from potok.dialects.encoder import RunEncoder
from potok.errors import OffsetInvalid
from potok.events.envelope import StoredEvent
from potok.events.kinds import RunEnd, TextDelta
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import SseDecoder

EVENTS = store(SAMPLES["an answer"])


class Letters(RunEncoder):
    """A frame for each letter of a text, and one at the end."""

    __slots__ = ()

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        event = stored.event
        self._is_ended = isinstance(event, RunEnd)
        text = event.text if isinstance(event, TextDelta) else "." * self._is_ended
        return self._numbered([letter.encode() for letter in text], stored.offset)


def encoder(*, ids_name_run: bool = False) -> Letters:
    return Letters(Reading(run=RUN, model="demo", created=CREATED, ids_name_run=ids_name_run))


def ids_of(frames: list[bytes]) -> list[str | None]:
    return [event.id for event in SseDecoder().feed(b"".join(frames))]


def test_frames_of_one_event_are_numbered_and_a_single_one_is_not() -> None:
    ids = ids_of(encoder().encode(EVENTS))

    assert ids[:3] == ["3.1", "3.2", "3.3"]
    assert ids[-1] == str(len(EVENTS))


def test_ids_name_the_run_where_the_path_does_not() -> None:
    assert ids_of(encoder(ids_name_run=True).encode(EVENTS))[0] == f"{RUN}.3.1"


def test_nothing_follows_the_end() -> None:
    one = encoder()
    whole = one.encode(EVENTS)

    assert (one.is_ended, one.ends_cleanly) == (True, True)
    assert one.encode(EVENTS) == []
    assert one.pass_over(EVENTS) == []
    assert whole


def test_who_has_some_frames_of_an_event_gets_the_others() -> None:
    whole = encoder().encode(EVENTS)

    for frame in range(1, 7):
        assert encoder().pass_over(EVENTS[:3], frame=frame) == whole[frame:6]


@pytest.mark.parametrize(("events", "frame"), [(EVENTS[:3], 7), (EVENTS[:1], 1), ([], 1)])
def test_a_frame_that_an_event_does_not_have_is_no_place(
    events: list[StoredEvent], frame: int
) -> None:
    with pytest.raises(OffsetInvalid):
        encoder().pass_over(events, frame=frame)
