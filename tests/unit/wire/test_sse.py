import re
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok import limits
from potok.errors import FrameTooLarge
from potok.wire.sse import HEARTBEAT, SseDecoder, SseEvent, encode_sse

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
one_line = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20
)
# Pieces that meet in every order, so that drawn streams are mostly on the edges of the grammar.
fragments = st.sampled_from(
    [
        *(b"data", b"data: ", b"event", b"id", b"retry", b":", b" "),
        *(b"\r", b"\n", b"\r\n", b"\n\n", b"\0", b"7", b"a"),
        *(b"\xef\xbb\xbf", "я".encode(), b"\xe2\x98", b"\xff", b"\xf0\x9f\x8e"),
    ]
)


def cut_up(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


def read(chunks: Iterable[bytes]) -> list[SseEvent]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def read_by_the_book(body: bytes) -> tuple[list[SseEvent], str, int | None]:
    """Interpret a whole stream in the plainest words of WHATWG HTML 9.2.6."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    events, last_id, retry = [], "", None
    kind, data, id = "", "", ""
    for line in re.split("\r\n|\n|\r", text)[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            last_id = id
            if data:
                events.append(SseEvent(kind or "message", data[:-1], id))
            kind, data = "", ""
        elif field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            id = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return events, last_id, retry


# encoder


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (encode_sse(data=b"a"), b"data: a\n\n"),
        (encode_sse(data="я"), b"data: \xd1\x8f\n\n"),
        (encode_sse(data=""), b"data: \n\n"),
        (encode_sse(data=b"a", event="done"), b"event: done\ndata: a\n\n"),
        (encode_sse(data=b"a", id=""), b"data: a\nid: \n\n"),
        (encode_sse(data=b"a", retry_ms=0), b"data: a\nretry: 0\n\n"),
        (
            encode_sse(data=b"a", event="e", id="r.7", retry_ms=1500),
            b"event: e\ndata: a\nretry: 1500\nid: r.7\n\n",
        ),
        (encode_sse(data=b"a\nb\rc\r\nd\n"), b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (encode_sse(data="a\n\rb"), b"data: a\ndata: \ndata: b\n\n"),
    ],
)
def test_a_frame_has_its_fields_in_order_and_ends_with_a_blank_line(
    frame: bytes, expected: bytes
) -> None:
    assert frame == expected


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\r\n", "\0"])
def test_an_event_or_id_that_could_add_a_line_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="'event' cannot carry CR, LF or NUL"):
        encode_sse(data=b"a", event=bad)
    with pytest.raises(ValueError, match="'id' cannot carry CR, LF or NUL"):
        encode_sse(data=b"a", id=bad)


def test_a_negative_wait_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        encode_sse(data=b"a", retry_ms=-1)


def test_a_heartbeat_is_one_comment_line_that_ends_no_block() -> None:
    assert re.fullmatch(rb":[^\r\n]*\n", HEARTBEAT)


@given(data=any_text, event=one_line, id=one_line, cuts=st.lists(st.integers(0, 300), max_size=4))
def test_what_was_encoded_is_decoded_however_it_was_cut(
    data: str, event: str, id: str, cuts: list[int]
) -> None:
    frame = encode_sse(data=data, event=event, id=id, retry_ms=7)

    events = read(cut_up(frame, cuts))

    with_line_feeds = data.replace("\r\n", "\n").replace("\r", "\n")
    assert events == [SseEvent(event or "message", with_line_feeds, id)]


@given(data=st.lists(st.sampled_from(["\r", "\n", "data: x", "id: 9", "event: e", ":", "\0"])))
def test_no_data_can_end_its_frame_or_add_a_field(data: list[str]) -> None:
    decoder = SseDecoder()

    events = decoder.feed(encode_sse(data="".join(data), id="1"))

    assert [(event.event, event.id) for event in events] == [("message", "1")]
    assert decoder.comments == 0


@given(texts=st.lists(any_text, max_size=5), beats=st.integers(0, 3))
def test_heartbeats_are_counted_and_change_no_event(texts: list[str], beats: int) -> None:
    frames = [encode_sse(data=text, id=str(offset)) for offset, text in enumerate(texts)]
    silence = HEARTBEAT * beats
    decoder = SseDecoder()

    events = decoder.feed(silence + b"".join(frame + silence for frame in frames))

    assert events == read(frames)
    assert decoder.comments == beats * (len(texts) + 1)


# decoder


@given(body=st.lists(fragments, max_size=30), cuts=st.lists(st.integers(0, 100), max_size=4))
def test_any_stream_however_cut_is_read_by_the_book(body: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(body)
    decoder = SseDecoder()

    events = [event for chunk in cut_up(stream, cuts) for event in decoder.feed(chunk)]

    assert (events, decoder.last_event_id, decoder.retry_ms) == read_by_the_book(stream)


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_a_letter_split_at_any_byte_stays_whole(line_end: bytes) -> None:
    frame = encode_sse(data="я…🎉", event="слово", id="№1").replace(b"\n", line_end)

    for cut in range(len(frame) + 1):
        assert read(cut_up(frame, [cut])) == [SseEvent("слово", "я…🎉", "№1")], f"cut at {cut}"


@pytest.mark.parametrize(
    ("cut", "expected"),
    [(b"data: a\r\r", 1), (b"data: a\r\n\r", 1), (b"data: a\n\r", 1), (b"data: a\r\n", 0)],
)
def test_a_carriage_return_ends_its_line_without_waiting_for_more(
    cut: bytes, expected: int
) -> None:
    decoder = SseDecoder()

    first = decoder.feed(cut)
    rest = decoder.feed(b"") + decoder.feed(b"\ndata: b\n\n")

    assert len(first) == expected
    assert [event.data for event in first + rest] == ["a", "b"]


def test_a_line_end_split_by_an_empty_chunk_is_still_one_line_end() -> None:
    events = read([b"data: a\r", b"", b"\ndata: b\r\n\r\n"])

    assert events == [SseEvent("message", "a\nb", "")]


def test_an_id_with_nul_is_ignored() -> None:
    events = read([b"id: 1\nid: 2\0\ndata: a\n\n"])

    assert events == [SseEvent("message", "a", "1")]


def test_an_id_counts_only_from_the_end_of_its_block() -> None:
    decoder = SseDecoder()
    decoder.feed(b"id: 1\ndata: a\n\nid: 2\ndata: b\n")
    before = decoder.last_event_id

    decoder.feed(b"\n")

    assert (before, decoder.last_event_id) == ("1", "2")


def test_nothing_is_known_before_the_first_frame() -> None:
    decoder = SseDecoder()

    assert decoder.feed(b"") == []
    assert (decoder.last_event_id, decoder.retry_ms, decoder.comments) == ("", None, 0)


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        (b"0", 0),
        (b"000", 0),
        (b"0" * 5_000 + b"7", 7),
        (b"9" * limits.SSE_RETRY_DIGITS_MAX, 10**limits.SSE_RETRY_DIGITS_MAX - 1),
        (b"1" + b"0" * 5_000, 10**limits.SSE_RETRY_DIGITS_MAX - 1),
    ],
)
def test_a_retry_of_any_length_is_read_and_bounded(digits: bytes, expected: int) -> None:
    decoder = SseDecoder()

    decoder.feed(b"retry: " + digits + b"\n")

    assert decoder.retry_ms == expected


@pytest.mark.parametrize(
    "line", [b"unknown: x", b"Data: x", b" data: x", b"retry: 5s", b"retry", b"\xff\xfe: x", b"\0"]
)
def test_a_line_that_is_no_field_changes_nothing(line: bytes) -> None:
    decoder = SseDecoder()

    events = decoder.feed(b"data: a\n" + line + b"\ndata: b\n\n")

    assert events == [SseEvent("message", "a\nb", "")]
    assert (decoder.retry_ms, decoder.comments) == (None, 0)


# limits


def fail(decoder: SseDecoder, chunks: Iterable[bytes]) -> tuple[list[SseEvent], FrameTooLarge]:
    """Feed until the decoder refuses; return all events that came before, and the error."""
    events = []
    for chunk in chunks:
        try:
            events += decoder.feed(chunk)
        except FrameTooLarge as error:
            return events + decoder.events_before_fault, error
    pytest.fail("no limit was reached")


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"data: " + b"y" * 25 + b"\n\n", "SSE line"),
        (b": " + b"y" * 29, "SSE line"),
        (b"data: 12345678\r\ndata: 1234567\r\n\r\n", "SSE event"),
        (b"data\n" * 17 + b"\n", "SSE event"),
    ],
)
def test_a_limit_stops_at_the_same_place_wherever_the_bytes_were_cut(
    broken: bytes, what: str
) -> None:
    body = b"data: a\n\nid: 2\ndata: b\n\n" + broken + b"data: never\n\n"

    for cut in range(len(body) + 1):
        decoder = SseDecoder(line_bytes_max=30, event_bytes_max=15)
        events, error = fail(decoder, cut_up(body, [cut]))

        assert [event.data for event in events] == ["a", "b"], f"cut at byte {cut}"
        assert error.what == what
        assert error.limit_bytes == (30 if what == "SSE line" else 15)


def test_an_event_and_a_line_at_their_limits_pass() -> None:
    decoder = SseDecoder(line_bytes_max=15, event_bytes_max=15)

    events = decoder.feed(b"data: 123456789\ndata: 12345\n\n" + b"data\n" * 16 + b"\n")

    assert [event.data for event in events] == ["123456789\n12345", "\n" * 15]


@pytest.mark.parametrize("broken", [b"data: 1234567890", b"data: 123\ndata: 456\n"])
def test_a_decoder_that_went_over_a_limit_refuses_all_that_follows(broken: bytes) -> None:
    decoder = SseDecoder(line_bytes_max=12, event_bytes_max=6)
    _, first = fail(decoder, [broken])

    _, second = fail(decoder, [b"\n\ndata: a\n\n"])
    _, third = fail(decoder, [b""])

    assert str(first) == str(second) == str(third)
    assert (first.code, first.retryable) == ("frame_too_large", False)


def test_heartbeats_without_end_reach_no_limit() -> None:
    decoder = SseDecoder(line_bytes_max=10, event_bytes_max=10)

    for _ in range(1_000):
        decoder.feed(HEARTBEAT)

    assert decoder.comments == 1_000


def test_the_default_limits_take_our_own_largest_event() -> None:
    data = b"y" * limits.EVENT_BYTES_MAX

    events = SseDecoder().feed(encode_sse(data=data))

    assert len(events[0].data) == limits.EVENT_BYTES_MAX
