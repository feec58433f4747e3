import json
from typing import Any

import pytest

from potok.dialects.chats_001 import Chats001Ndjson, Chats001Sse, Opening
from potok.dialects.chats_001_bodies import answer_metadata, iso_time
from potok.dialects.dialect import Reading
from potok.events.fold import Message
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    RunStart,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import SseDecoder

START = RunStart(run=RUN, version=1, model="demo", created=float(CREATED))
SAID: tuple[Event, ...] = (
    ReasoningStart(part="r"),
    ReasoningDelta(part="r", text="Hm."),
    ReasoningEnd(part="r"),
    TextStart(part="t"),
    TextDelta(part="t", text="Hello"),
)
OPENING = Opening(id=42, chat_id=7, parent_id=41, sibling_ids=(42,), created_at=float(CREATED))


def frames_of(events: tuple[Event, ...], opening: Opening | None = None) -> list[dict[str, Any]]:
    reading = Reading(run=RUN, model="demo", created=CREATED, ids_name_run=True)
    body = b"".join(Chats001Sse(opening).encoder(reading).encode(store(events)))
    return [json.loads(frame.data) for frame in SseDecoder().feed(body)]


def test_a_finished_answer_word_for_word() -> None:
    end = (
        TextEnd(part="t"),
        Usage(completion_tokens=2),
        RunEnd(outcome="finished", finish_reason="stop"),
    )

    frames = frames_of((START, *SAID, *end), OPENING)

    assert frames == [
        {
            "type": "message_start",
            "message": {
                "id": 42,
                "chat_id": 7,
                "role": "assistant",
                "content": "",
                "created_at": "2026-09-21T14:13:20.000Z",
                "metadata": {
                    "model": "demo",
                    "tokens": 0,
                    "hasThinkingProcess": False,
                    "thinkingExpanded": False,
                    "status": "streaming",
                    "run": RUN,
                },
                "parent_id": 41,
                "sibling_ids": [42],
            },
        },
        {"type": "message_delta", "message_id": 42, "delta": "Hm.", "channel": "thinking"},
        {"type": "message_delta", "message_id": 42, "delta": "Hello"},
        {
            "type": "message_end",
            "message": {
                "id": 42,
                "chat_id": 7,
                "role": "assistant",
                "content": "Hello",
                "created_at": "2026-09-21T14:13:20.000Z",
                "metadata": {
                    "model": "demo",
                    "tokens": 2,
                    "hasThinkingProcess": True,
                    "thinkingExpanded": False,
                    "status": "finished",
                    "run": RUN,
                    "thinkingText": "Hm.",
                    "processingTime": 90,
                    "finishReason": "stop",
                },
                "parent_id": 41,
                "sibling_ids": [42],
            },
        },
    ]


def test_a_failed_answer_ends_with_an_error() -> None:
    frames = frames_of((START, *SAID, RunEnd(outcome="failed", code="x", message="No.")), OPENING)

    assert frames[-1] == {"type": "error", "error": "No.", "message_id": 42, "code": "x"}


def test_a_cancelled_answer_ends_as_a_message_that_says_so() -> None:
    frames = frames_of((START, *SAID, RunEnd(outcome="cancelled")), OPENING)

    assert frames[-1]["type"] == "message_end"
    assert frames[-1]["message"]["metadata"]["cancelled"] is True
    assert frames[-1]["message"]["content"] == "Hello"


def test_a_continued_answer_begins_with_what_it_had() -> None:
    before = {"tokens": 5, "processingTime": 100, "thinkingText": "So. ", "thinkingExpanded": True}
    opening = Opening(id=42, chat_id=7, content="One, ", metadata=before)

    frames = frames_of((START, *SAID, TextEnd(part="t"), RunEnd(outcome="finished")), opening)

    assert frames[0]["message"]["content"] == "One, "
    last = frames[-1]["message"]
    assert last["content"] == "One, Hello"
    assert last["metadata"]["thinkingText"] == "So. Hm."
    assert last["metadata"]["thinkingExpanded"] is True
    assert (last["metadata"]["tokens"], last["metadata"]["processingTime"]) == (7, 180)


@pytest.mark.parametrize("name", SAMPLES)
def test_bare_lines_are_the_same_objects_with_their_places(name: str) -> None:
    reading = Reading(run=RUN, model="demo", created=CREATED, ids_name_run=True)
    lines = Chats001Ndjson().encoder(reading).encode(store(SAMPLES[name]))
    frames = Chats001Sse().encoder(reading).encode(store(SAMPLES[name]))

    decoded = [json.loads(line) for line in lines]
    events = SseDecoder().feed(b"".join(frames))

    assert [line.pop("id") for line in decoded] == [event.id for event in events]
    assert decoded == [json.loads(event.data) for event in events]


def test_times_are_utc_with_milliseconds() -> None:
    assert iso_time(0.0) == "1970-01-01T00:00:00.000Z"
    assert iso_time(1_790_000_000.9996) == "2026-09-21T14:13:21.000Z"


def test_an_answer_of_an_agent_names_it() -> None:
    assert answer_metadata(Message(agent="coder"), before={}, seconds=None)["model"] == "coder"
    assert answer_metadata(Message(model="p/m"), before={}, seconds=None)["model"] == "m"
