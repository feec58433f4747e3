import json
from typing import Any

from potok.dialects.line_safe import encode_json
from potok.dialects.native_bodies import error_body, run_state
from potok.errors import OffsetExpired, RequestInvalid
from potok.events.envelope import Offset
from potok.events.fold import Fold, Message
from potok.testing.samples import RUN, SAMPLES


def fold(name: str) -> Message:
    folding = Fold()
    for event in SAMPLES[name]:
        folding.feed(event)
    return folding.message


def state_of(name: str, *, status: str, offset: int) -> Any:
    state = run_state(run=RUN, status=status, offset=Offset(offset), message=fold(name))
    return json.loads(encode_json(state))


def test_an_error_has_code_sentence_and_the_field_at_fault() -> None:
    body = json.loads(error_body(RequestInvalid("Send it.", param="messages[0].role")))

    assert body == {
        "error": {"code": "invalid_request", "message": "Send it.", "param": "messages[0].role"}
    }


def test_an_expired_offset_says_where_to_go_on() -> None:
    body = json.loads(error_body(OffsetExpired(run=RUN, wanted=3, first=40)))

    assert body["error"]["code"] == "offset_expired"
    assert body["error"]["first"] == "40"
    assert body["error"]["snapshot"] == f"/api/runs/{RUN}"


def test_the_state_of_a_finished_run() -> None:
    assert state_of("an answer", status="finished", offset=9) == {
        "id": RUN,
        "status": "finished",
        "offset": "9",
        "message": {
            "role": "assistant",
            "parts": [{"type": "text", "id": "t1", "text": "Привет, мир!", "state": "done"}],
            "text": "Привет, мир!",
            "model": "demo",
            "finish_reason": "stop",
            "tokens": 4,
        },
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 7,
            "reasoning_tokens": 2,
            "tokens_per_second": 43.5,
            "extra": {"prompt_tokens_details": {"cached_tokens": 4}},
        },
        "error": None,
    }


def test_the_state_of_a_run_that_failed_keeps_its_text_and_says_why() -> None:
    state = state_of("failed in the middle", status="failed", offset=8)

    assert state["error"] == {"code": "upstream_lost", "message": "The provider went away."}
    assert [part["state"] for part in state["message"]["parts"]] == ["cut", "cut"]


def test_the_state_of_a_run_without_an_event_yet() -> None:
    state = run_state(run=RUN, status="queued", offset=Offset(0), message=Message())

    assert state == {
        "id": RUN,
        "status": "queued",
        "offset": "0",
        "message": {"role": "assistant", "parts": [], "text": ""},
        "usage": None,
        "error": None,
    }


def test_stages_and_data_are_part_of_the_state() -> None:
    state = state_of("stages, data and code", status="finished", offset=16)

    assert [stage["stage"] for stage in state["message"]["stages"]] == ["planner", "coder", "coder"]
    assert state["message"]["parts"][1]["data"] == [{"title": "B"}]
    assert state["message"]["text"] == "Good."
