import pytest

from potok.dialects.registry import DIALECTS, dialect_for_accept, simple_chat_for_accept
from potok.errors import RequestInvalid

SSE, NDJSON = "native", "native-ndjson"


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, SSE),
        ("", SSE),
        ("*/*", SSE),
        ("text/*", SSE),
        ("text/event-stream", SSE),
        ("application/x-ndjson", NDJSON),
        ("Application/X-NDJSON ; charset=utf-8", NDJSON),
        ("application/*", NDJSON),
        ("application/json", SSE),
        ("application/x-ndjson, text/event-stream", SSE),
        ("application/x-ndjson, */*", NDJSON),
        ("text/event-stream, */*", SSE),
        ("text/event-stream;q=0.5, application/x-ndjson;q=0.9", NDJSON),
        ("text/event-stream;q=0.9, application/x-ndjson;q=0.5", SSE),
        ("text/event-stream;q=0, */*;q=0.1", NDJSON),
        ("application/x-ndjson;q=0", SSE),
        ("text/event-stream;q=0, application/x-ndjson;q=0", SSE),
        ("text/event-stream; q = 0.1 , application/x-ndjson; level=1; q=0.2", NDJSON),
        ("text/event-stream;q=0.9, application/x-ndjson;q=1.000", NDJSON),
        ("text/event-stream;q=0.9, application/x-ndjson;q=high", NDJSON),
        ("text/event-stream;q=0.9, application/x-ndjson;q=nan", NDJSON),
        ("text/event-stream;q=0.9, application/x-ndjson;q=1.9", NDJSON),
        ("text/event-stream;q=0.9, application/x-ndjson;q=0.²", NDJSON),
        ("text/event-stream;q=0., application/x-ndjson;q=0.1", NDJSON),
        (",,;q=1,", SSE),
    ],
)
def test_the_header_chooses_the_framing(accept: str | None, name: str) -> None:
    assert dialect_for_accept(accept).name == name


@pytest.mark.parametrize(("word", "name"), [("sse", SSE), ("ndjson", NDJSON), ("", NDJSON)])
def test_the_query_wins_over_the_header(word: str, name: str) -> None:
    assert dialect_for_accept("application/x-ndjson", word).name == name


def test_another_word_is_refused_by_name() -> None:
    with pytest.raises(RequestInvalid, match="'xml'") as refusal:
        dialect_for_accept(None, "xml")

    assert refusal.value.param == "format"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "text/event-stream"),
        ("*/*", "text/event-stream"),
        ("text/*", "text/event-stream"),
        ("application/json, text/plain, */*", "text/event-stream"),
        ("text/plain, */*;q=0.1", "text/plain"),
        ("text/plain", "text/plain"),
        ("text/event-stream, text/plain", "text/event-stream"),
        ("text/event-stream, text/plain;q=0.5", "text/event-stream"),
        ("text/plain;q=0", "text/event-stream"),
    ],
)
def test_simple_chat_is_bare_text_for_who_asks_for_it(accept: str | None, media_type: str) -> None:
    assert simple_chat_for_accept(accept).media_type == media_type


def test_dialects_are_found_by_the_name_that_a_run_keeps() -> None:
    assert {name: DIALECTS[name].can_retract for name in DIALECTS} == {
        "native": True,
        "native-ndjson": True,
        "openai-chat": False,
        "openai-responses": False,
        "ai-sdk-ui": True,
        "chats-001": False,
        "chats-001-ndjson": False,
        "simple-chat": False,
        "simple-chat-text": False,
        "simple-chat-socket": False,
    }
