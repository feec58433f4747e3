import json
from typing import Any

import pytest

from potok.dialects.socket_messages import (
    CancelRun,
    Operation,
    Ping,
    StartRun,
    Subscribe,
    Unsubscribe,
    cancelled,
    ended,
    error_message,
    parse_operation,
    pong,
    ref_of,
    started,
)
from potok.errors import OffsetExpired, OffsetInvalid, PotokError, RequestInvalid, RunNotFound
from potok.events.envelope import Offset, Place
from potok.testing.samples import RUN

BODY: dict[str, Any] = {"model": "demo", "messages": []}


@pytest.mark.parametrize(
    ("message", "operation"),
    [
        ({"op": "ping"}, Ping(ref=None)),
        ({"op": "ping", "ref": 7}, Ping(ref=7)),
        ({"op": "start", "ref": "a", "run": BODY}, StartRun(ref="a", body=BODY)),
        (
            {"op": "start", "run": BODY, "idempotency_key": "k"},
            StartRun(ref=None, body=BODY, idempotency_key="k"),
        ),
        ({"op": "start", "run": BODY, "idempotency_key": ""}, StartRun(ref=None, body=BODY)),
        ({"op": "subscribe", "run": RUN}, Subscribe(ref=None, run=RUN)),
        ({"op": "subscribe", "run": RUN, "after": ""}, Subscribe(ref=None, run=RUN)),
        (
            {"op": "subscribe", "run": RUN, "after": "3"},
            Subscribe(ref=None, run=RUN, place=Place(run=None, offset=Offset(3))),
        ),
        (
            {"op": "subscribe", "run": RUN, "after": f"{RUN}.3.1"},
            Subscribe(ref=None, run=RUN, place=Place(run=RUN, offset=Offset(3), frame=1)),
        ),
        ({"op": "unsubscribe", "run": RUN}, Unsubscribe(ref=None, run=RUN)),
        ({"op": "cancel", "run": RUN, "ref": "c"}, CancelRun(ref="c", run=RUN)),
    ],
)
def test_a_message_asks_for_this(message: dict[str, Any], operation: Operation) -> None:
    assert parse_operation(message) == operation


@pytest.mark.parametrize(
    ("message", "error", "words"),
    [
        ({}, RequestInvalid, "start, subscribe, unsubscribe, cancel, ping"),
        ({"op": "shout"}, RequestInvalid, "`op` must be one of"),
        ({"op": ["ping"]}, RequestInvalid, "`op` must be one of"),
        ({"messages": []}, RequestInvalid, "/ws"),
        ({"op": "ping", "ref": True}, RequestInvalid, "`ref`"),
        ({"op": "ping", "ref": "x" * 201}, RequestInvalid, "`ref`"),
        ({"op": "ping", "ref": {}}, RequestInvalid, "`ref`"),
        ({"op": "start"}, RequestInvalid, "`run` must be an object"),
        ({"op": "start", "run": RUN}, RequestInvalid, "not a string"),
        ({"op": "start", "run": {}, "idempotency_key": 1}, RequestInvalid, "idempotency_key"),
        ({"op": "start", "run": {}, "idempotency_key": "k" * 256}, RequestInvalid, "255"),
        ({"op": "subscribe"}, RequestInvalid, "`run` must be a run's id"),
        ({"op": "subscribe", "run": RUN, "after": 3}, RequestInvalid, "not a number"),
        ({"op": "subscribe", "run": RUN, "after": "-1"}, OffsetInvalid, "-1"),
        ({"op": "subscribe", "run": RUN, "after": "x" * 20 + ".3"}, RunNotFound, "x" * 20),
        ({"op": "cancel", "run": ""}, RequestInvalid, "`run`"),
        ({"op": "unsubscribe", "run": None}, RequestInvalid, "not null"),
    ],
)
def test_what_is_wrong_is_named(
    message: dict[str, Any], error: type[PotokError], words: str
) -> None:
    with pytest.raises(error) as refusal:
        parse_operation(message)

    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        (
            started("a", run=RUN, status="queued", created=True),
            {"op": "started", "ref": "a", "run": RUN, "status": "queued", "created": True},
        ),
        (
            cancelled(1, run=RUN, status="cancelled"),
            {"op": "cancelled", "ref": 1, "run": RUN, "status": "cancelled"},
        ),
        (ended(None, run=RUN), {"op": "ended", "run": RUN}),
        (pong(), {"op": "pong"}),
        (pong(0), {"op": "pong", "ref": 0}),
        (
            error_message(OffsetExpired(run=RUN, wanted=1, first=4), "a", run=RUN),
            {
                "op": "error",
                "ref": "a",
                "code": "offset_expired",
                "message": OffsetExpired(run=RUN, wanted=1, first=4).message,
                "run": RUN,
                "first": "4",
                "snapshot": f"/api/runs/{RUN}",
            },
        ),
    ],
)
def test_an_answer_is_one_object(answer: bytes, fields: dict[str, Any]) -> None:
    assert json.loads(answer) == fields


@pytest.mark.parametrize(("ref", "kept"), [("a", "a"), (3, 3), ([], None), (True, None)])
def test_a_ref_that_cannot_come_back_is_left_out_of_its_own_error(ref: Any, kept: Any) -> None:
    assert ref_of({"ref": ref}) == kept
