import json

import pytest

from potok.dialects.dialect import Reading
from potok.dialects.native import NativeNdjson, NativeSse, encode_message, name_sse_event
from potok.errors import ModelUnknown, OffsetInvalid
from potok.events.envelope import Offset, StoredEvent
from potok.events.kinds import Event, RunStart, TextDelta, Unknown
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import encode_sse

READING = Reading(run=RUN, model="demo", created=CREATED)
HELLO = TextDelta(part="t1", text="Привет")


def stored(event: Event, offset: int = 5) -> StoredEvent:
    return StoredEvent(offset=Offset(offset), event=event, at=0.0)


def test_a_frame_is_kind_fields_and_offset() -> None:
    (frame,) = NativeSse().encoder(READING).encode([stored(HELLO)])

    assert frame.decode() == ('event: text-delta\ndata: {"part":"t1","text":"Привет"}\nid: 5\n\n')


def test_the_first_frame_of_a_run_says_how_soon_to_reconnect_inside_its_block() -> None:
    start = RunStart(run=RUN, version=1, model="demo")

    (frame,) = NativeSse().encoder(READING).encode([stored(start, 1)])

    assert frame.endswith(b"}\nretry: 1000\nid: 1\n\n")


@pytest.mark.parametrize("offset", [1, 2, 99])
def test_a_spliced_frame_is_what_the_wire_would_write(offset: int) -> None:
    (frame,) = NativeSse().encoder(READING).encode([stored(HELLO, offset)])

    assert frame == encode_sse(
        data='{"part":"t1","text":"Привет"}',
        event="text-delta",
        id=str(offset),
        retry_ms=1000 if offset == 1 else None,
    )


def test_a_line_has_its_place_and_kind_first_and_offsets_are_strings() -> None:
    (line,) = NativeNdjson().encoder(READING).encode([stored(HELLO)])

    assert line.decode() == '{"id":"5","event":"text-delta","part":"t1","text":"Привет"}\n'


def test_ids_name_the_run_where_the_path_does_not() -> None:
    reading = Reading(run=RUN, model="demo", created=CREATED, ids_name_run=True)

    (frame,) = NativeSse().encoder(reading).encode([stored(HELLO)])
    (line,) = NativeNdjson().encoder(reading).encode([stored(HELLO)])

    assert frame.endswith(f"\nid: {RUN}.5\n\n".encode())
    assert json.loads(line)["id"] == f"{RUN}.5"


def test_a_socket_message_names_its_run_once() -> None:
    start = RunStart(run=RUN, version=1, agent="coder")

    message = encode_message(stored(HELLO), run=RUN)
    first = encode_message(stored(start, 1), run=RUN)

    assert json.loads(message) == {
        "run": RUN,
        "id": "5",
        "event": "text-delta",
        "part": "t1",
        "text": "Привет",
    }
    assert first.count(b'"run":') == 1
    assert json.loads(first)["run"] == RUN
    assert b"\n" not in message


def test_a_field_of_an_unknown_kind_cannot_pass_for_a_place() -> None:
    event = Unknown(kind="picture", fields={"id": "7", "event": "x", "run": "r", "url": "u"})

    plain = json.loads(encode_message(stored(event)))
    on_socket = json.loads(encode_message(stored(event), run=RUN))

    assert plain == {"id": "5", "event": "picture", "run": "r", "url": "u"}
    assert on_socket == {"run": RUN, "id": "5", "event": "picture", "url": "u"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text-delta", "text-delta"),
        ("picture.v2", "picture.v2"),
        ("error", "x-error"),
        ("open", "x-open"),
        ("", "x-"),
        ("a\nid: 7\r\0", "a_id:_7__"),
        ("ы" * 200, "_" * 100),
    ],
)
def test_no_kind_can_be_taken_for_a_browsers_own_event_or_break_a_frame(
    kind: str, name: str
) -> None:
    assert name_sse_event(kind) == name


def test_a_reader_that_saw_the_end_gets_nothing_more() -> None:
    events = store(SAMPLES["an answer"])
    encoder = NativeSse().encoder(READING)

    assert encoder.pass_over(events, frame=1) == []
    assert encoder.is_ended
    assert encoder.ends_cleanly
    assert encoder.encode(events) == []


def test_an_event_has_no_second_frame() -> None:
    with pytest.raises(OffsetInvalid, match=r"'1\.2'"):
        NativeSse().encoder(READING).pass_over(store(SAMPLES["an answer"])[:1], frame=2)


@pytest.mark.parametrize("dialect", [NativeSse(), NativeNdjson()])
def test_errors_have_the_native_shape(dialect: NativeSse | NativeNdjson) -> None:
    body = json.loads(dialect.encode_error(ModelUnknown("x")))

    assert body["error"]["code"] == "model_not_found"


def test_native_readers_can_be_told_that_text_is_taken_back() -> None:
    assert NativeSse.can_retract
    assert NativeNdjson.can_retract
    assert not NativeSse.needs_history


def test_a_heartbeat_is_no_line_and_no_block_of_its_own() -> None:
    sse = NativeSse().encoder(READING).heartbeat()
    ndjson = NativeNdjson().encoder(READING).heartbeat()

    assert sse.startswith(b":")
    assert sse.count(b"\n") == 1
    assert ndjson.strip() == b""
    assert b"\n" not in ndjson
