import asyncio
import json
from typing import Any

import httpx
import pytest

from potok.errors import UpstreamLost
from potok.events.envelope import START
from potok.runs.settings import RunSettings
from potok.server.access import Access
from potok.testing.gates import Gate
from potok.testing.principals import two_principals
from potok.wire.sse import SseDecoder, SseEvent
from tests.unit.server.house import BEGIN, NEVER, REST, House, open_house

STREAM, WHOLE = "/api/chat/stream", "/api/chat"
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
TEXT = {"accept": "text/plain"}
TWO = Access(principals=two_principals())
FAILING = (BEGIN, UpstreamLost("The provider went away."))


def events_in(reply: httpx.Response) -> list[SseEvent]:
    return SseDecoder().feed(reply.content)


async def request_of(house: House, reply: httpx.Response) -> Any:
    record = await house.services.runs.find(reply.headers["x-potok-run"], principal="local")
    return record.request


async def test_a_stream_is_content_frames_and_done() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(STREAM, json=ASKED)

    events = events_in(reply)
    run = reply.headers["x-potok-run"]
    said = [json.loads(event.data) for event in events[:-1]]
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache, no-transform"
    assert "".join(frame["content"] for frame in said) == "Привет, мир!"
    assert events[-1].data == "[DONE]"
    assert all(event.id.startswith(f"{run}.") for event in events)


async def test_who_accepts_plain_text_gets_nothing_but_the_text() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(STREAM, json=ASKED, headers=TEXT)

    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-potok-run"]
    assert reply.content.decode() == "Привет, мир!"


async def test_a_whole_answer_is_one_object() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(WHOLE, json={**ASKED, "model": "scripted"})

    assert reply.status_code == 200
    assert reply.json() == {
        "message": "Привет, мир!",
        "model": "scripted",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "run": reply.headers["x-potok-run"],
    }


@pytest.mark.parametrize("path", [STREAM, WHOLE])
@pytest.mark.parametrize(("headers", "language"), [({}, "ru"), ({"accept-language": "en"}, "en")])
async def test_statuses_are_russian_unless_the_caller_asks_otherwise(
    path: str, headers: dict[str, str], language: str
) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(path, json=ASKED, headers=headers)

        request = await request_of(house, reply)
        assert (request.language, request.on_disconnect) == (language, "cancel")
        assert request.face == "simple-chat"


@pytest.mark.parametrize("wish", ["header", "body", "key"])
async def test_a_run_may_be_kept(wish: str) -> None:
    headers = {"header": {"x-potok-on-disconnect": "keep"}, "key": {"idempotency-key": "k"}}
    body = {**ASKED, "on_disconnect": "keep"} if wish == "body" else ASKED
    async with open_house() as house, house.client() as client:
        reply = await client.post(STREAM, json=body, headers=headers.get(wish, {}))

        assert (await request_of(house, reply)).on_disconnect == "keep"


async def test_a_stream_that_broke_is_read_again_as_json_by_its_key() -> None:
    key = {"idempotency-key": "k"}
    async with open_house() as house, house.client() as client:
        stream = await client.post(STREAM, json=ASKED, headers=key)
        whole = await client.post(WHOLE, json=ASKED, headers=key)
        other = await client.post(WHOLE, json={**ASKED, "seed": 1}, headers=key)

        assert whole.json()["run"] == stream.headers["x-potok-run"]
        assert whole.json()["message"] == "Привет, мир!"
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
        assert len(house.model.requests) == 1


async def test_a_reader_comes_back_after_any_frame_with_none_lost_and_none_twice() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        first = asyncio.create_task(client.post(STREAM, json=ASKED))
        await gate.until_waited_for()
        gate.open()
        whole = events_in(await first)
        for place, seen in enumerate(whole[:-1]):
            again = await client.post(STREAM, json=ASKED, headers={"last-event-id": seen.id})
            assert events_in(again) == whole[place + 1 :]
        end = await client.post(STREAM, json=ASKED, headers={"last-event-id": whole[-1].id})

        assert (end.status_code, end.content) == (204, b"")
        assert len(house.model.requests) == 1


@pytest.mark.parametrize("path", [STREAM, WHOLE])
@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ("garbage!", 400, "offset_invalid"),
        ("3", 400, "offset_invalid"),
        (f"{NEVER}.3", 404, "run_not_found"),
    ],
)
async def test_a_last_event_id_that_names_no_place_starts_nothing(
    path: str, place: str, status: int, code: str
) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(path, json=ASKED, headers={"last-event-id": place})

        assert (reply.status_code, reply.json()["code"]) == (status, code)
        assert not house.model.requests


async def test_a_run_that_fails_says_so_without_done() -> None:
    async with open_house(FAILING) as house, house.client() as client:
        events = events_in(await client.post(STREAM, json=ASKED))

    last = json.loads(events[-1].data)
    assert "[DONE]" not in [event.data for event in events]
    assert last["code"] == "upstream_lost"
    assert "went away" in last["error"]


@pytest.mark.parametrize(
    ("headers", "end"),
    [
        ({}, 'data: {"cancelled":true}\nid: {run}.5.1\n\ndata: [DONE]\nid: {run}.5.2\n\n'),
        (TEXT, "Привет"),
    ],
)
async def test_a_run_that_is_cancelled_says_so_and_is_done(
    headers: dict[str, str], end: str
) -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        reading = asyncio.create_task(client.post(STREAM, json=ASKED, headers=headers))
        await gate.until_waited_for()
        run = (await client.get("/api/runs")).json()["items"][0]["id"]
        await client.post(f"/api/runs/{run}/cancel", json={})
        reply = await reading

    assert reply.text.endswith(end.replace("{run}", run))


@pytest.mark.parametrize(
    ("script", "status", "code"), [(FAILING, 502, "upstream_lost"), (None, 499, "cancelled")]
)
async def test_what_is_not_whole_is_an_error_with_its_run(
    script: Any, status: int, code: str
) -> None:
    gate = Gate()
    async with open_house(script or (BEGIN, gate, REST)) as house, house.client() as client:
        asking = asyncio.create_task(client.post(WHOLE, json=ASKED))
        if script is None:
            await gate.until_waited_for()
            run = (await client.get("/api/runs")).json()["items"][0]["id"]
            await client.post(f"/api/runs/{run}/cancel", json={})
        reply = await asking

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert isinstance(reply.json()["error"], str)
    assert reply.json()["run"] == reply.headers["x-potok-run"]


@pytest.mark.parametrize("path", [STREAM, WHOLE])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_request"),
        (b"{}", 400, "invalid_request"),
        (b'{"messages": 1}', 400, "invalid_request"),
        (b'{"messages":[{"role":"user","content":"x"}],"model":"no"}', 404, "model_not_found"),
    ],
)
async def test_a_refusal_is_a_sentence_under_error(
    path: str, body: bytes, status: int, code: str
) -> None:
    json_headers = {"content-type": "application/json"}
    async with open_house() as house, house.client(json_headers) as client:
        reply = await client.post(path, content=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert isinstance(reply.json()["error"], str)


async def test_anothers_answer_cannot_be_told_from_none() -> None:
    async with open_house(access=TWO) as house, house.client() as client:
        anna, boris = ({"authorization": f"Bearer key-of-{name}"} for name in ("anna", "boris"))
        run = (await client.post(WHOLE, json=ASKED, headers=anna)).json()["run"]
        replies = [
            await client.post(STREAM, json=ASKED, headers={**boris, "last-event-id": f"{one}.3"})
            for one in (run, NEVER)
        ]

    assert [reply.status_code for reply in replies] == [404, 404]
    assert replies[0].text.replace(run, NEVER) == replies[1].text


async def test_a_reader_that_never_comes_back_stops_its_run() -> None:
    gate = Gate()
    settings = RunSettings(disconnect_grace_seconds=0.05)
    async with open_house((BEGIN, gate, REST), settings=settings) as house:
        asked = json.dumps(ASKED).encode()
        inbox = [
            {"type": "http.disconnect"},
            {"type": "http.request", "body": asked, "more_body": False},
        ]

        async def receive() -> Any:
            if len(inbox) == 1:
                await gate.until_waited_for()
            return inbox.pop()

        async def send(message: Any) -> None:
            return None

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        headers.append((b"content-length", str(len(asked)).encode()))
        scope = {"type": "http", "method": "POST", "path": STREAM, "query_string": b""}
        await house.app({**scope, "headers": headers}, receive, send)
        runs = house.services.runs
        records, _ = await runs.list_runs(principal="local", cursor=None, status=None, items_max=1)
        # Waits for the log, not as a reader: a reader would keep the run.
        page = await house.log.read(records[0].run, after=START, events_max=100)
        while not page.ended:
            await house.log.wait_beyond(records[0].run, page.tail, seconds=1)
            page = await house.log.read(records[0].run, after=START, events_max=100)

        assert house.model.closed == 1
