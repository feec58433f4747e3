import asyncio
import json
import logging
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from potok import errors
from potok.errors import PotokError
from potok.server.problems import (
    ProblemLayer,
    answer_problem,
    face_of,
    may_be_sent_again,
    problem_response,
    status_of,
)

SAMPLES: list[tuple[PotokError, int]] = [
    (errors.RequestInvalid("x"), 400),
    (errors.ModelUnknown("m"), 404),
    (errors.RunNotFound("r"), 404),
    (errors.OffsetInvalid("x", why="y"), 400),
    (errors.OffsetExpired(run="r", wanted=1, first=5), 410),
    (errors.IdempotencyConflict("k", run="r"), 409),
    (errors.BodyTooLarge(what="body", limit_bytes=1), 413),
    (errors.BodyTooSlow(seconds=1), 408),
    (errors.Unauthorized(), 401),
    (errors.OriginRefused("o"), 403),
    (errors.HostRefused("h"), 403),
    (errors.ContentTypeRefused("c"), 415),
    (errors.MessageTooLarge(limit_bytes=1), 413),
    (errors.MessageMalformed("x", place="y"), 400),
    (errors.PathUnknown("/x"), 404),
    (errors.MethodRefused("PUT", path="/x"), 405),
    (errors.UpstreamUnreachable("x"), 502),
    (errors.UpstreamRefused("x", status=401), 502),
    (errors.UpstreamLimited("x", status=429), 429),
    (errors.UpstreamRejected("x", status=422), 400),
    (errors.UpstreamLost("x"), 502),
    (errors.UpstreamStalled("x"), 504),
    (errors.UpstreamMalformed("x"), 502),
    (errors.LogUnavailable("x"), 503),
    (errors.LogLost("x"), 410),
    (errors.UpstreamBusy("x"), 429),
    (errors.ServerDraining(), 503),
    (errors.SettingInvalid("x"), 500),
    (errors.GrammarViolation("x"), 500),
    (errors.StaleEpoch(run="r", epoch=1, current=2), 500),
]


def all_kinds(kind: type[PotokError]) -> set[type[PotokError]]:
    below = set(kind.__subclasses__())
    return below.union(*(all_kinds(one) for one in below))


@pytest.mark.parametrize(("error", "status"), SAMPLES)
def test_every_error_has_its_status(error: PotokError, status: int) -> None:
    assert status_of(error) == status


def test_an_error_that_nobody_thought_of_takes_the_status_of_its_family() -> None:
    class NewMistake(errors.CallerError):
        """A caller's mistake of a later version."""

    assert status_of(NewMistake("x")) == 400
    # A refusal's status is the provider's, and an empty one has none.
    others = {one for one in all_kinds(PotokError) if not issubclass(one, errors.UpstreamRefused)}
    assert {status_of(kind.__new__(kind)) for kind in others} <= set(range(400, 505))


@pytest.mark.parametrize(
    ("path", "face"),
    [
        ("/v1/chat/completions", "openai-chat"),
        ("/v1", "openai-chat"),
        ("/v1x", "native"),
        ("/api/runs", "native"),
        ("/", "native"),
    ],
)
def test_an_error_has_the_shape_of_the_face_that_was_called(path: str, face: str) -> None:
    assert face_of(path).name == face


def body_of(error: PotokError, path: str) -> dict[str, Any]:
    body = json.loads(bytes(problem_response(error, scope={"path": path}).body))
    described: dict[str, Any] = body["error"]
    return described


def test_the_same_error_reads_as_each_face_has_it() -> None:
    error = errors.RequestInvalid("`model` is missing.", param="model")

    native, openai = body_of(error, "/api/runs"), body_of(error, "/v1/chat/completions")

    assert native["code"] == openai["code"] == "invalid_request"
    assert openai["type"] == "invalid_request_error"
    assert openai["param"] == "model"


def test_an_expired_offset_says_where_the_answer_is() -> None:
    body = body_of(errors.OffsetExpired(run="run-1", wanted=1, first=5), "/api/runs/run-1/events")

    assert body["first"] == "5"
    assert body["snapshot"] == "/api/runs/run-1"


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (errors.ServerDraining(), "retry-after", "3"),
        (errors.LogUnavailable("x"), "retry-after", "1"),
        (errors.UpstreamLimited("x", status=429, retry_after_seconds=7.4), "retry-after", "7"),
        (errors.Unauthorized(), "www-authenticate", "Bearer"),
        (errors.MethodRefused("PUT", path="/", allowed=("GET", "POST")), "allow", "GET, POST"),
        (errors.BodyTooLarge(what="body", limit_bytes=1), "connection", "close"),
        (errors.IdempotencyConflict("k", run="r"), "x-should-retry", "false"),
        (errors.UpstreamRefused("x", status=401), "x-should-retry", "false"),
    ],
)
def test_an_answer_says_what_to_do_next(error: PotokError, header: str, value: str) -> None:
    assert problem_response(error, scope={"path": "/v1/models"}).headers[header] == value


@pytest.mark.parametrize("error", [errors.ServerDraining(), errors.RequestInvalid("x")])
def test_sdks_are_left_alone_where_they_decide_rightly(error: PotokError) -> None:
    assert "x-should-retry" not in problem_response(error, scope={"path": "/v1/models"}).headers


def test_codes_of_failed_runs_tell_whether_a_new_try_makes_sense() -> None:
    tries = {code: may_be_sent_again(code) for code in ("upstream_lost", "cancelled", "x")}

    assert tries == {"upstream_lost": True, "cancelled": False, "x": False}


async def call(app: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=ProblemLayer(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get("/v1/models?q=a+secret+query")


async def test_an_unexpected_error_is_a_500_that_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {"run": "run-00000000000000000001"}
        raise ValueError("a prompt and a key")

    with caplog.at_level(logging.ERROR):
        reply = await call(app)

    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal_error"
    assert "Traceback" not in reply.text
    assert "prompt" not in reply.text + caplog.text
    assert "secret" not in caplog.text
    assert "ValueError" in caplog.text
    assert "test_problems.py" in caplog.text
    assert "run-00000000000000000001" in caplog.text


async def test_a_request_that_the_server_gives_up_at_its_end_is_told_to_come_back() -> None:
    sent = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nobody asks")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(asyncio.CancelledError):
        await ProblemLayer(app)(scope, receive, send)

    assert sent[0]["status"] == 503
    assert (b"retry-after", b"3") in sent[0]["headers"]


async def test_our_own_bugs_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/api/runs", "headers": []})

    answer = await answer_problem(request, errors.GrammarViolation("two ends"))

    assert answer.status_code == 500
    assert "GrammarViolation" in caplog.text


async def test_an_error_after_the_answer_began_leaves_it_open() -> None:
    sent = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ValueError

    async def receive() -> Any:
        raise AssertionError("nobody asks")

    async def send(message: Any) -> None:
        sent.append(message)

    await ProblemLayer(app)({"type": "http", "method": "GET", "path": "/"}, receive, send)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
