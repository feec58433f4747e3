import asyncio
import json
from typing import Any

import httpx
import pytest

from potok.errors import UpstreamLost, UpstreamRefused
from potok.events.kinds import RunEnd
from potok.runs.settings import RunSettings
from potok.server.access import Access
from potok.testing.gates import Gate
from potok.testing.principals import two_principals
from potok.wire.sse import SseDecoder, SseEvent
from tests.unit.server.house import BEGIN, HELLO, NEVER, REST, House, open_house, until_ended

PATH = "/v1/chat/completions"
STREAM = {**HELLO, "stream": True}
TWO = Access(principals=two_principals())


def events_in(reply: httpx.Response) -> list[SseEvent]:
    return SseDecoder().feed(reply.content)


def text_in(events: list[SseEvent]) -> str:
    chunks = [json.loads(event.data) for event in events if event.data != "[DONE]"]
    return "".join(
        choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]
    )


async def run_of(house: House, reply: httpx.Response) -> Any:
    return await house.services.runs.find(reply.headers["x-potok-run"], principal="local")


async def test_a_stream_has_the_life_of_openais_chunks() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json=STREAM)

        events = events_in(reply)
        first, last = json.loads(events[0].data), json.loads(events[-2].data)
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert first["choices"][0]["delta"] == {"role": "assistant"}
        assert first["model"] == "scripted"
        assert text_in(events) == "Привет, мир!"
        assert last["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
        assert events[-1].data == "[DONE]"


async def test_a_stream_says_its_run_in_headers_and_ids() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json=STREAM)

        run = reply.headers["x-potok-run"]
        assert reply.headers["x-request-id"] == run
        assert all(event.id.startswith(f"{run}.") for event in events_in(reply))


async def test_usage_comes_when_it_is_asked_for() -> None:
    async with open_house() as house, house.client() as client:
        asked = {**STREAM, "stream_options": {"include_usage": True}}
        reply = await client.post(PATH, json=asked)

        usage = json.loads(events_in(reply)[-2].data)
        assert usage["choices"] == []
        assert usage["usage"]["total_tokens"] == 5


async def test_a_whole_answer_is_one_object() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json=HELLO)

        body = reply.json()
        assert reply.status_code == 200
        assert body["object"] == "chat.completion"
        assert body["id"] == f"chatcmpl-{reply.headers['x-potok-run']}"
        assert body["model"] == "scripted"
        assert body["choices"][0]["message"]["content"] == "Привет, мир!"
        assert body["usage"]["total_tokens"] == 5


@pytest.mark.parametrize("is_live", [True, False])
async def test_a_reader_comes_back_after_any_frame_with_none_lost_and_none_twice(
    is_live: bool,
) -> None:
    gate = Gate()
    script = (BEGIN, gate, REST) if is_live else (BEGIN, REST)
    async with open_house(script) as house, house.client() as client:
        first = asyncio.create_task(client.post(PATH, json=STREAM))
        if is_live:
            await gate.until_waited_for()
            gate.open()
        whole = events_in(await first)
        for place, seen in enumerate(whole[:-1]):
            again = await client.post(PATH, json=STREAM, headers={"last-event-id": seen.id})

            assert events_in(again) == whole[place + 1 :]
        assert len(house.model.requests) == 1


async def test_coming_back_after_the_last_frame_is_a_204() -> None:
    async with open_house() as house, house.client() as client:
        last = events_in(await client.post(PATH, json=STREAM))[-1]
        reply = await client.post(PATH, json=STREAM, headers={"last-event-id": last.id})

        assert (reply.status_code, reply.content) == (204, b"")


@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ("garbage!", 400, "offset_invalid"),
        ("3", 400, "offset_invalid"),
        ("{run}.99", 400, "offset_invalid"),
        ("{run}.1.7", 400, "offset_invalid"),
        (f"{NEVER}.3", 404, "run_not_found"),
    ],
)
async def test_a_last_event_id_that_names_no_place_is_refused_and_starts_nothing(
    place: str, status: int, code: str
) -> None:
    async with open_house() as house, house.client() as client:
        run = (await client.post(PATH, json=STREAM)).headers["x-potok-run"]
        reply = await client.post(
            PATH, json=STREAM, headers={"last-event-id": place.format(run=run)}
        )

        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
        assert reply.json()["error"]["type"]
        assert len(house.model.requests) == 1


async def test_a_foreign_run_is_not_attached_to() -> None:
    async with open_house(access=TWO) as house, house.client() as client:
        anna = {"authorization": "Bearer key-of-anna"}
        boris = {"authorization": "Bearer key-of-boris"}
        run = (await client.post(PATH, json=HELLO, headers=anna)).headers["x-potok-run"]
        foreign = await client.post(
            PATH, json=STREAM, headers=boris | {"last-event-id": f"{run}.1"}
        )
        unknown = await client.post(
            PATH, json=STREAM, headers=boris | {"last-event-id": f"{NEVER}.1"}
        )

        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content.replace(run.encode(), NEVER.encode()) == unknown.content


async def test_a_stream_falls_back_to_the_same_run_as_one_object() -> None:
    async with open_house() as house, house.client({"idempotency-key": "k"}) as client:
        stream = await client.post(PATH, json=STREAM)
        whole = await client.post(PATH, json=HELLO)

        assert stream.headers["x-potok-run"] == whole.headers["x-potok-run"]
        assert whole.json()["choices"][0]["message"]["content"] == "Привет, мир!"
        assert len(house.model.requests) == 1


async def test_a_key_used_for_another_request_is_a_conflict_that_sdks_do_not_repeat() -> None:
    async with open_house() as house, house.client({"idempotency-key": "k"}) as client:
        await client.post(PATH, json=HELLO)
        reply = await client.post(PATH, json={**HELLO, "temperature": 1})

        assert reply.status_code == 409
        assert reply.json()["error"]["type"] == "idempotency_error"
        assert reply.headers["x-should-retry"] == "false"


async def test_runs_of_this_face_end_without_a_reader_unless_told_otherwise() -> None:
    async with open_house() as house, house.client() as client:
        plain = await run_of(house, await client.post(PATH, json=HELLO))
        kept = await run_of(
            house,
            await client.post(PATH, json=HELLO, headers={"x-potok-on-disconnect": "keep"}),
        )
        keyed = await run_of(
            house, await client.post(PATH, json=HELLO, headers={"idempotency-key": "k"})
        )

        wishes = [record.request.on_disconnect for record in (plain, kept, keyed)]
        assert wishes == ["cancel", "keep", "keep"]


@pytest.mark.parametrize(
    ("error", "status", "may_retry"),
    [
        (UpstreamLost("The provider went away."), 502, True),
        (UpstreamRefused("The provider refuses the key.", status=401), 502, False),
    ],
)
async def test_a_failed_run_is_an_error_where_a_whole_answer_was_asked_for(
    error: Exception, status: int, may_retry: bool
) -> None:
    async with open_house((BEGIN, error)) as house, house.client() as client:
        reply = await client.post(PATH, json=HELLO)

        assert reply.status_code == status
        assert reply.json()["error"]["message"] == str(error)
        assert reply.headers["x-potok-run"]
        assert ("x-should-retry" not in reply.headers) is may_retry


async def test_a_failed_run_ends_its_stream_with_an_error_and_no_done() -> None:
    async with open_house((BEGIN, UpstreamLost("Gone."))) as house, house.client() as client:
        events = events_in(await client.post(PATH, json=STREAM))

        assert json.loads(events[-1].data)["error"]["code"] == "upstream_lost"
        assert "[DONE]" not in [event.data for event in events]


async def test_a_cancelled_run_is_an_error_that_sdks_do_not_repeat() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        waiting = asyncio.create_task(client.post(PATH, json=HELLO))
        await gate.until_waited_for()
        run = (await client.get("/api/runs")).json()["items"][0]["id"]
        await client.post(f"/api/runs/{run}/cancel")
        reply = await waiting

        assert reply.json()["error"]["code"] == "cancelled"
        assert 400 <= reply.status_code < 500
        assert reply.status_code not in (408, 409, 429)


async def test_an_answer_cut_short_by_the_servers_end_names_its_run() -> None:
    gate = Gate()
    async with open_house((gate, BEGIN, REST)) as house, house.client() as client:
        start = house.services.runs.start

        async def start_and_drain(*args: Any, **more: Any) -> Any:
            started = await start(*args, **more)
            house.services.runs.drain()
            return started

        house.services.runs.start = start_and_drain  # type: ignore[method-assign]
        reply = await client.post(PATH, json=HELLO)

        assert reply.status_code == 503
        assert reply.headers["retry-after"]
        assert reply.headers["x-potok-run"]


async def test_a_caller_of_a_whole_answer_who_leaves_is_noticed() -> None:
    gate = Gate()
    settings = RunSettings(disconnect_grace_seconds=0.05)
    async with open_house((BEGIN, gate, REST), settings=settings) as house:
        left = asyncio.Event()
        body = json.dumps(HELLO).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            return None

        scope = {
            "type": "http",
            "method": "POST",
            "path": PATH,
            "query_string": b"",
            "headers": [
                (b"host", b"localhost"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
        calling = asyncio.create_task(house.app(scope, receive, send))
        await gate.until_waited_for()
        left.set()
        await calling
        records = await house.log.list_runs(principal="local", items_max=1)
        ended = await until_ended(house, records[0].run)

        assert ended.status != "finished"
        assert house.model.closed == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "scripted"}, "messages"),
        ({**HELLO, "stream": "yes"}, "stream"),
        ({"model": "scripted", "messages": [{"role": "x", "content": "y"}]}, "messages[0].role"),
        ({"model": "scripted", "input": "Hello!"}, "input"),
    ],
)
async def test_a_wrong_field_is_a_400_in_openais_shape(body: dict[str, Any], param: str) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json=body)

        error = reply.json()["error"]
        assert reply.status_code == 400
        assert (error["type"], error["param"]) == ("invalid_request_error", param)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [(b"{", "application/json", 400), (b"{}", "text/plain", 415)],
)
async def test_a_body_that_is_no_json_is_refused_in_openais_shape(
    content: bytes, content_type: str, status: int
) -> None:
    async with open_house() as house, house.client({"content-type": content_type}) as client:
        reply = await client.post(PATH, content=content)

        assert reply.status_code == status
        assert reply.json()["error"]["type"] == "invalid_request_error"


async def test_an_unknown_model_is_a_404_in_openais_shape() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json={**HELLO, "model": "nothing"})

        error = reply.json()["error"]
        assert (reply.status_code, error["code"]) == (404, "model_not_found")


async def test_a_run_that_ended_elsewhere_is_settled_at_once() -> None:
    ended = [*REST[:-1], RunEnd(outcome="finished", finish_reason="length")]
    async with open_house((BEGIN, ended)) as house, house.client() as client:
        reply = await client.post(PATH, json=HELLO)

        assert reply.json()["choices"][0]["finish_reason"] == "length"


async def test_all_that_a_caller_says_reaches_the_model_as_it_was_said() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "developer", "content": "Be kind."},
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "a cat"}]},
        {"role": "assistant", "content": "A cat.", "audio": {"id": "a1"}},
        {"role": "user", "content": "Sure?", "strange": {"a": [1, None]}},
    ]
    parameters: dict[str, Any] = {
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "logit_bias": {"50256": -100},
        "seed": 7,
        "stop": ["END"],
        "logprobs": True,
        "top_logprobs": 2,
        "n": 2,
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "nobody_knows": {"it": True},
    }
    async with open_house() as house, house.client() as client:
        reply = await client.post(
            "/v1/chat/completions", json={"model": "scripted", "messages": messages, **parameters}
        )

    assert reply.status_code == 200
    assert list(house.model.requests[0].messages) == messages
    assert house.model.requests[0].parameters == parameters


async def test_every_answer_under_this_path_has_a_request_id() -> None:
    async with open_house() as house, house.client() as client:
        replies = [
            await client.post("/v1/chat/completions", json=HELLO),
            await client.post("/v1/chat/completions", json={**HELLO, "stream": True}),
            await client.post("/v1/chat/completions", json={}),
            await client.post("/v1/embeddings", json={"model": "scripted", "input": "a"}),
            await client.get("/v1/models"),
            await client.get("/v1/models/nobody"),
            await client.get("/v1/nothing"),
        ]
        elsewhere = await client.get("/api/runs")

    ids = [reply.headers["x-request-id"] for reply in replies]
    assert len(set(ids)) == len(replies)
    assert all(ids)
    assert ids[0] == replies[0].headers["x-potok-run"]
    assert "x-request-id" not in elsewhere.headers
