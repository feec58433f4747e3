"""The suite that every dialect passes. Subclass it in a test module, name the class `Test...`.

class TestNativeSse(DialectSuite):
    dialect = NativeSse()

    def decode(self, body: bytes) -> list[object]: ...
    def id_of(self, frame: bytes) -> str: ...
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from potok.dialects.dialect import Dialect, Encoder, Reading
from potok.errors import OffsetInvalid, RequestInvalid
from potok.events.envelope import Place, StoredEvent, parse_place
from potok.events.kinds import Event, PartDiscard, RunEnd
from potok.testing.samples import CREATED, HOSTILE_TEXTS, RUN, SAMPLES, store

__all__ = ["DialectSuite"]

_each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
_each_id_form = pytest.mark.parametrize("ids_name_run", [False, True], ids=["short", "long"])


class DialectSuite:
    """What any dialect promises. Subclasses give the dialect and a reader of its bytes.

    `shows_text` is False for a dialect whose frames hold less than the answer's whole text.
    """

    dialect: ClassVar[Dialect]
    shows_text: ClassVar[bool] = True

    def decode(self, body: bytes) -> list[Any]:
        """Return what a client of this protocol makes of a body: one value per frame."""
        raise NotImplementedError

    def id_of(self, frame: bytes) -> str:
        """Return the id that a client remembers after a frame."""
        raise NotImplementedError

    def text_of(self, frames: list[Any]) -> str:
        """Return the answer's text as a client gathers it from decoded frames."""
        raise NotImplementedError

    def encoder(self, *, ids_name_run: bool = False) -> Encoder:
        """Return an encoder for a reader of the sample run, usage asked for."""
        return self.dialect.encoder(
            Reading(
                run=RUN,
                model="demo",
                created=CREATED,
                ids_name_run=ids_name_run,
                include_usage=True,
            )
        )

    def frames_of(
        self, events: Sequence[StoredEvent], *, ids_name_run: bool = False
    ) -> list[bytes]:
        """Return all frames of a run, encoded at once."""
        return self.encoder(ids_name_run=ids_name_run).encode(events)

    def resume(self, events: Sequence[StoredEvent], place: Place) -> list[bytes]:
        """Return the frames that follow a place, as the server asks for them."""
        encoder = self.encoder(ids_name_run=place.run is not None)
        rest: list[bytes] = []
        if self.dialect.needs_history or place.frame:
            seen = [stored for stored in events if stored.offset <= place.offset]
            rest = encoder.pass_over(seen, frame=place.frame)
        return rest + encoder.encode([one for one in events if one.offset > place.offset])

    @_each_sample
    def test_every_frame_is_whole(self, sample: tuple[Event, ...]) -> None:
        frames = self.frames_of(store(sample))

        decoded = [self.decode(frame) for frame in frames]

        assert [len(values) for values in decoded] == [1] * len(frames)
        assert [value for values in decoded for value in values] == self.decode(b"".join(frames))

    @_each_sample
    def test_frames_do_not_depend_on_how_events_are_batched(
        self, sample: tuple[Event, ...]
    ) -> None:
        events = store(sample)
        at_once = self.frames_of(events)

        for size in range(1, len(events) + 1):
            encoder = self.encoder()
            frames: list[bytes] = []
            for start in range(0, len(events), size):
                frames += encoder.encode(events[start : start + size])
            assert frames == at_once, f"in batches of {size}"

    @_each_sample
    def test_an_empty_batch_changes_nothing(self, sample: tuple[Event, ...]) -> None:
        encoder = self.encoder()

        before = encoder.encode([])

        assert before == []
        assert encoder.encode(store(sample)) == self.frames_of(store(sample))
        assert encoder.encode([]) == []

    @_each_id_form
    @_each_sample
    def test_a_reader_that_comes_back_gets_exactly_what_it_lacks(
        self, sample: tuple[Event, ...], ids_name_run: bool
    ) -> None:
        events = store(sample)
        frames = self.frames_of(events, ids_name_run=ids_name_run)

        for seen in range(1, len(frames) + 1):
            place = parse_place(self.id_of(frames[seen - 1]))
            assert (place.run == RUN) is ids_name_run
            assert frames[:seen] + self.resume(events, place) == frames, f"after frame {seen}"

    @_each_sample
    def test_history_may_be_passed_over_page_by_page(self, sample: tuple[Event, ...]) -> None:
        events = store(sample)

        for seen in range(len(events) + 1):
            at_once, paged = self.encoder(), self.encoder()
            at_once.pass_over(events[:seen])
            for stored in events[:seen]:
                assert paged.pass_over([stored]) == []
            assert at_once.is_ended == paged.is_ended
            assert at_once.encode(events[seen:]) == paged.encode(events[seen:])

    @_each_sample
    def test_ids_rise_and_none_is_given_twice(self, sample: tuple[Event, ...]) -> None:
        frames = self.frames_of(store(sample))

        places = [parse_place(self.id_of(frame)) for frame in frames]
        keys = [(place.offset, place.frame) for place in places]

        assert keys == sorted(set(keys))

    def test_a_frame_that_an_event_does_not_have_is_refused(self) -> None:
        events = store(SAMPLES["an answer"])

        with pytest.raises(OffsetInvalid):
            self.encoder().pass_over(events[:2], frame=99)
        with pytest.raises(OffsetInvalid):
            self.encoder().pass_over([], frame=1)

    @_each_sample
    def test_heartbeats_anywhere_change_nothing_that_is_read(
        self, sample: tuple[Event, ...]
    ) -> None:
        frames = self.frames_of(store(sample))
        beat = self.encoder().heartbeat()
        plain = self.decode(b"".join(frames))

        assert beat
        assert self.decode(beat + beat.join(frames)) == plain
        assert self.decode(b"".join(3 * beat + frame for frame in frames)) == plain

    @_each_sample
    def test_it_is_ended_exactly_after_the_last_frame(self, sample: tuple[Event, ...]) -> None:
        events = store(sample)
        encoder = self.encoder()
        ended = [encoder.is_ended]
        for stored in events:
            encoder.encode([stored])
            ended.append(encoder.is_ended)

        discards = [at for at, event in enumerate(sample) if isinstance(event, PartDiscard)]
        ends_early = ended.index(True) < len(sample)

        assert ended == sorted(ended), "an end is final"
        if ends_early:
            assert not self.dialect.can_retract
            assert ended.index(True) - 1 in discards
        else:
            assert isinstance(sample[ended.index(True) - 1], RunEnd)

    @_each_sample
    def test_nothing_follows_the_end(self, sample: tuple[Event, ...]) -> None:
        events = store(sample)
        encoder = self.encoder()
        encoder.encode(events)

        assert encoder.encode(store(sample, first=len(events) + 1)) == []

    @_each_sample
    def test_a_body_ends_cleanly_only_after_an_end(self, sample: tuple[Event, ...]) -> None:
        encoder = self.encoder()

        for stored in store(sample):
            assert not encoder.ends_cleanly or encoder.is_ended
            encoder.encode([stored])

        if not any(isinstance(event, PartDiscard) for event in sample):
            is_finished = isinstance(sample[-1], RunEnd) and sample[-1].outcome == "finished"
            assert encoder.ends_cleanly or not is_finished

    def test_text_can_break_no_frame(self) -> None:
        if not self.shows_text:
            pytest.skip("this dialect does not show the whole text")
        frames = self.frames_of(store(SAMPLES["hostile text"]))

        assert self.text_of(self.decode(b"".join(frames))) == "".join(HOSTILE_TEXTS)

    @_each_sample
    def test_a_frame_stays_whole_for_readers_that_split_decoded_text(
        self, sample: tuple[Event, ...]
    ) -> None:
        for frame in self.frames_of(store(sample)):
            text = frame.decode()

            assert text.splitlines() == text.removesuffix("\n").split("\n")

    def test_an_error_has_its_code_and_its_sentence(self) -> None:
        error = RequestInvalid("Send `model`.", param="model")
        error.language = "en"

        body = self.dialect.encode_error(error)

        assert b"invalid_request" in body
        assert b"Send `model`." in body
