"""What stood in an answer before its run, and what is kept of both."""

from typing import Any

import pytest

from potok.chats.contract import MessageRecord
from potok.clock import RunId, WorkerId
from potok.events.fold import Message, Part, RunError
from potok.events.run_request import RunRequest
from potok.runs.chat_endings import before_of, begun_of, ending_of, place_of, placed, prefix_of
from potok.streamlog.contract import RunRecord


def answer_of(content: str, **more: Any) -> MessageRecord:
    fields: dict[str, Any] = {
        "id": 7,
        "chat_id": 3,
        "principal": "me",
        "parent_id": 6,
        "role": "assistant",
        "content": content,
        "status": "cancelled",
        "run": "r1",
        "client_id": None,
        "metadata": {},
        "plan": None,
        "created_at": 0.0,
        **more,
    }
    return MessageRecord(**fields)


def record_of(status: str) -> RunRecord:
    return RunRecord(
        run=RunId("r2"),
        principal="me",
        status=status,  # type: ignore[arg-type]
        request=RunRequest(model="m"),
        request_hash="",
        created_at=10.0,
        worker=WorkerId("w"),
        epoch=1,
        tail=5,  # type: ignore[arg-type]
        first=1,  # type: ignore[arg-type]
        last_event_at=12.0,
        ended_at=12.0,
    )


def reopened(before: MessageRecord) -> MessageRecord:
    return answer_of(
        before.content,
        status="streaming",
        run="r2",
        metadata=before.metadata,
        plan=before_of(before),
    )


HALF = answer_of(
    "Half ",
    metadata={"model": "m", "thinkingText": "Hm.", "tokens": 2, "processingTime": 500},
)


def test_an_answer_that_was_not_reopened_had_nothing_before() -> None:
    assert prefix_of(HALF) == ("", {})
    assert prefix_of(reopened(HALF)) == ("Half ", HALF.metadata)


def test_thoughts_and_open_words_go_on() -> None:
    begun = begun_of(HALF)

    assert [(part.type, part.text, part.state) for part in begun.parts] == [
        ("reasoning", "Hm.", "done"),
        ("text", "Half ", "open"),
    ]
    assert begun.model == "m"


def test_what_was_added_is_added_up() -> None:
    said = Message(
        outcome="finished",
        parts=[Part(type="text", id="text-1", text="and half", state="done")],
        tokens=3,
    )

    ending = ending_of(reopened(HALF), record_of("finished"), said)

    assert (ending.status, ending.text) == ("finished", "and half")
    assert ending.metadata["tokens"] == 5
    assert ending.metadata["thinkingText"] == "Hm."
    assert ending.metadata["processingTime"] == 2500
    assert "parts" not in ending.metadata


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_nothing_added_changes_nothing(status: str) -> None:
    said = Message(outcome=status, error=RunError(code="x", message="x"))

    ending = ending_of(reopened(HALF), record_of(status), said)

    assert (ending.status, ending.text, ending.metadata) == ("cancelled", "", HALF.metadata)


def test_all_parts_of_both_runs_are_kept_but_calls_that_were_cut() -> None:
    parts = [
        {"type": "tool", "id": "c0", "name": "look", "state": "done", "result": 1},
        {"type": "text", "id": "t", "text": "Half ", "state": "cut"},
        {"type": "tool", "id": "c1", "name": "look", "state": "cut"},
    ]
    before = answer_of("Half ", metadata={"parts": parts})
    said = Message(
        outcome="finished",
        parts=[
            Part(type="text", id="text-1", text="and half", state="done"),
            Part(type="tool", id="c2", name="look", state="done"),
        ],
    )

    ending = ending_of(reopened(before), record_of("finished"), said)

    kept = [(one["id"], one.get("text"), one["state"]) for one in ending.metadata["parts"]]
    assert kept == [
        ("c0", None, "done"),
        ("t", "Half and half", "done"),
        ("c2", None, "done"),
    ]


def test_words_of_their_own_stay_apart() -> None:
    said = Message(
        outcome="finished",
        parts=[
            Part(type="tool", id="c", name="look", state="done"),
            Part(type="text", id="t0", text="More.", state="done"),
        ],
    )

    ending = ending_of(reopened(HALF), record_of("finished"), said)

    assert [one.get("text") for one in ending.metadata["parts"]] == ["Half ", None, "More."]


def test_results_of_tools_are_kept_with_their_calls() -> None:
    calls = [{"type": "tool", "id": name, "state": "done"} for name in ("a", "b", "c")]
    before = answer_of("", metadata={"parts": [*calls, {"type": "data", "id": "d"}]})
    request = RunRequest(
        messages=(
            {"role": "tool", "tool_call_id": "a", "content": '{"sunny": true}'},
            {"role": "tool", "tool_call_id": "b", "content": "Error: no"},
        )
    )

    kept = before_of(before, request)["metadata"]["parts"]

    assert [part.get("result") for part in kept] == [{"sunny": True}, "Error: no", None, None]
    assert before_of(before)["metadata"] == before.metadata


@pytest.mark.parametrize(
    ("face", "chat", "message"), [("chats-001", "3", "7"), ("ai-sdk-ui", "name", "msg_r1")]
)
def test_a_request_knows_its_answer_and_a_face_keeps_its_names(
    face: str, chat: str, message: str
) -> None:
    request = RunRequest(model="m", chat="name", message="msg_r1", face=face)

    known = placed(request, HALF)

    assert (known.chat, known.message, place_of(known)) == (chat, message, (3, 7))


def test_a_place_is_read_from_records_of_older_versions_too() -> None:
    assert place_of(RunRequest(chat="3", message="7")) == (3, 7)
    assert place_of(RunRequest(chat="name", message="7")) is None
    assert place_of(RunRequest()) is None
