import json

from potok.dialects.native_bodies import error_body, run_state, run_state_body
from potok.errors import OffsetExpired, RequestInvalid
from potok.events.envelope import Offset
from potok.events.fold import Fold, Message
from potok.testing.samples import RUN, SAMPLES


def fold(name: str) -> Message:
    folding = Fold()
    for event in SAMPLES[name]:
        folding.feed(event)
    return folding.message


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
    message = fold("an answer")

    body = run_state_body(run=RUN, status="finished", offset=Offset(9), message=message)

    assert json.loads(body) == {
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
    state = run_state(
        run=RUN, status="failed", offset=Offset(8), message=fold("failed in the middle")
    )
    body = json.loads(
        run_state_body(
            run=RUN, status="failed", offset=Offset(8), message=fold("failed in the middle")
        )
    )

    assert body["error"] == {"code": "upstream_lost", "message": "The provider went away."}
    assert [part["state"] for part in body["message"]["parts"]] == ["cut", "cut"]
    assert state["id"] == RUN


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
    body = json.loads(
        run_state_body(
            run=RUN, status="finished", offset=Offset(16), message=fold("stages, data and code")
        )
    )

    assert [stage["stage"] for stage in body["message"]["stages"]] == ["planner", "coder", "coder"]
    assert body["message"]["parts"][1]["data"] == [{"title": "B"}]
    assert body["message"]["text"] == "Good."
