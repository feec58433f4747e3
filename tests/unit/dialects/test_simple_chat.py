import json
from collections.abc import Sequence
from typing import Any

import pytest

from potok.dialects.dialect import Dialect, Encoder, Reading
from potok.dialects.simple_chat import SimpleChatSocket, SimpleChatSse, SimpleChatText
from potok.errors import OffsetInvalid, RequestInvalid
from potok.events.fold import Fold
from potok.events.kinds import Event, RunEnd, RunStart, TextDelta, TextEnd, TextStart
from potok.limits import WRITE_BYTES_MAX
from potok.testing.samples import CREATED, RUN, SAMPLES, store

SSE, TEXT, SOCKET = SimpleChatSse(), SimpleChatText(), SimpleChatSocket()
BEGIN = RunStart(run=RUN, version=1, model="demo")
FINISH = RunEnd(outcome="finished", finish_reason="stop")


def encoder_of(dialect: Dialect) -> Encoder:
    return dialect.encoder(Reading(run=RUN, model="demo", created=CREATED, ids_name_run=True))


def body_of(dialect: Dialect, events: Sequence[Event]) -> bytes:
    return b"".join(encoder_of(dialect).encode(store(events)))


def naive_lines(body: bytes) -> list[str]:
    """What is found by looking for `data: ` at the start of lines, without a parser."""
    lines = body.decode().split("\n")
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def answer(*texts: str) -> list[Event]:
    deltas = [TextDelta(part="t1", text=text) for text in texts]
    return [BEGIN, TextStart(part="t1"), *deltas, TextEnd(part="t1"), FINISH]


FAILED: list[Event] = [BEGIN, RunEnd(outcome="failed", code="upstream_lost", message="Gone.")]
CANCELLED: list[Event] = [BEGIN, RunEnd(outcome="cancelled")]

# Events, the data lines of server-sent events, the messages of a socket.
TABLE: list[tuple[list[Event], list[Any], list[Any]]] = [
    (
        answer("При", "вет"),
        [{"content": "При"}, {"content": "вет"}, "[DONE]"],
        [
            {"type": "token", "content": "При"},
            {"type": "token", "content": "вет"},
            {"type": "done"},
        ],
    ),
    (
        answer("", "a\n\nb\u2028c", ""),
        [{"content": "a\n\nb\u2028c"}, "[DONE]"],
        [{"type": "token", "content": "a\n\nb\u2028c"}, {"type": "done"}],
    ),
    (
        FAILED,
        [{"error": "Gone.", "code": "upstream_lost"}],
        [{"type": "error", "message": "Gone.", "code": "upstream_lost"}],
    ),
    (
        CANCELLED,
        [{"cancelled": True}, "[DONE]"],
        [{"type": "done", "cancelled": True}],
    ),
    (
        [BEGIN, RunEnd(outcome="failed")],
        [{"error": "The run failed.", "code": "failed"}],
        [{"type": "error", "message": "The run failed.", "code": "failed"}],
    ),
]


@pytest.mark.parametrize(("events", "frames", "_messages"), TABLE)
def test_a_run_has_these_frames(events: list[Event], frames: list[Any], _messages: Any) -> None:
    lines = naive_lines(body_of(SSE, events))

    assert [line if line == "[DONE]" else json.loads(line) for line in lines] == frames


@pytest.mark.parametrize(("events", "_frames", "messages"), TABLE)
def test_a_run_has_these_messages(events: list[Event], _frames: Any, messages: list[Any]) -> None:
    said = encoder_of(SOCKET).encode(store(events))

    assert [json.loads(message) for message in said] == messages


def test_a_frame_is_one_data_line_with_its_id_last_and_lf_only() -> None:
    frames = encoder_of(SSE).encode(store(answer("Hi")))

    assert frames == [
        b'data: {"content":"Hi"}\nid: %b.3\n\n' % RUN.encode(),
        b"data: [DONE]\nid: %b.5\n\n" % RUN.encode(),
    ]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("dialect", [SSE, TEXT, SOCKET])
def test_what_is_shown_is_the_text_of_the_message(dialect: Dialect, name: str) -> None:
    fold = Fold()
    for event in SAMPLES[name]:
        fold.feed(event)
    shown = body_of(dialect, SAMPLES[name])
    if dialect is SSE:
        said = [json.loads(line) for line in naive_lines(shown) if line != "[DONE]"]
        text = "".join(frame.get("content", "") for frame in said)
    elif dialect is TEXT:
        text = shown.decode()
    else:
        messages = map(json.loads, encoder_of(SOCKET).encode(store(SAMPLES[name])))
        text = "".join(one.get("content", "") for one in messages)

    if "taken back" not in name or "nobody" in name:
        assert text == fold.message.text


@pytest.mark.parametrize("text", ["\0" * 50_000, "я" * 50_000, "🎉" * 50_000, "\u2028" * 50_000])
@pytest.mark.parametrize("dialect", [SSE, TEXT, SOCKET])
def test_an_event_of_any_size_has_frames_that_fit_into_one_write(
    dialect: Dialect, text: str
) -> None:
    frames = encoder_of(dialect).encode(store(answer(text)))

    assert len(frames) > 20
    assert max(map(len, frames)) <= WRITE_BYTES_MAX


def test_frames_of_one_event_are_numbered_and_resumed_one_by_one() -> None:
    events = store(answer("x" * 5_000, "end"))
    whole = encoder_of(SSE).encode(events)

    again = encoder_of(SSE)
    rest = again.pass_over(events[:3], frame=2)

    assert f"id: {RUN}.3.2\n" in whole[1].decode()
    assert rest + again.encode(events[3:]) == whole[2:]
    with pytest.raises(OffsetInvalid, match="has 3 frames"):
        encoder_of(SSE).pass_over(events[:3], frame=4)


@pytest.mark.parametrize("name", ["a part is taken back", "the end of a part is taken back"])
def test_a_part_that_was_shown_and_is_taken_back_ends_the_stream_as_failed(name: str) -> None:
    encoder = encoder_of(SSE)
    last = encoder.encode(store(SAMPLES[name]))[-1]

    assert json.loads(naive_lines(last)[0])["code"] == "part_discarded"
    assert encoder.is_ended
    assert encoder.ends_cleanly


def test_a_reader_that_comes_back_still_hears_of_what_it_saw_before() -> None:
    events = store(SAMPLES["a part is taken back"])
    encoder = encoder_of(SOCKET)
    encoder.pass_over(events[:3])

    assert json.loads(encoder.encode(events[3:])[-1])["code"] == "part_discarded"


@pytest.mark.parametrize(
    ("events", "is_clean"),
    [(answer("a"), True), (CANCELLED, True), (FAILED, False)],
)
def test_bare_text_ends_cleanly_unless_the_run_failed(events: list[Event], is_clean: bool) -> None:
    encoder = encoder_of(TEXT)
    encoder.encode(store(events))

    assert encoder.is_ended
    assert encoder.ends_cleanly is is_clean


def test_bare_text_of_a_part_that_is_taken_back_is_cut() -> None:
    encoder = encoder_of(TEXT)
    shown = encoder.encode(store(SAMPLES["a part is taken back"]))

    assert b"".join(shown) == b"Wrong"
    assert not encoder.ends_cleanly


def test_every_piece_of_bare_text_is_whole_letters() -> None:
    for frame in encoder_of(TEXT).encode(store(answer("🎉я" * 3_000))):
        frame.decode()


@pytest.mark.parametrize("dialect", [SSE, TEXT])
def test_an_error_is_one_sentence_under_error(dialect: Dialect) -> None:
    body = json.loads(dialect.encode_error(RequestInvalid("Send it.", param="messages")))

    assert body == {"error": "Send it.", "code": "invalid_request", "param": "messages"}


def test_an_error_on_a_socket_is_a_message() -> None:
    body = json.loads(SOCKET.encode_error(RequestInvalid("Send it.")))

    assert body == {"type": "error", "message": "Send it.", "code": "invalid_request"}


@pytest.mark.parametrize("dialect", [TEXT, SOCKET])
def test_nothing_stands_for_a_heartbeat_where_every_byte_is_read(dialect: Dialect) -> None:
    assert encoder_of(dialect).heartbeat() == b""
