import asyncio
import json
from typing import Any

import httpx
import pytest

from potok.server.access import Access
from potok.server.principals import KeyedPrincipals
from potok.testing.gates import Gate
from potok.wire.sse import SseDecoder
from tests.unit.server.house import BEGIN, NEVER, REST, House, open_house, until_ended

PATH = "/api/ui/chat"
ASKED = {
    "id": "chat-1",
    "model": "scripted",
    "trigger": "submit-message",
    "messages": [{"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Hello!"}]}],
}
TWO = Access(principals=KeyedPrincipals({"key-of-anna": "anna", "key-of-boris": "boris"}))


def chunks_in(reply: httpx.Response) -> list[Any]:
    said = [frame.data for frame in SseDecoder().feed(reply.content)]
    return [one if one == "[DONE]" else json.loads(one) for one in said]


def text_in(reply: httpx.Response) -> str:
    return "".join(chunk["delta"] for chunk in chunks_in(reply) if "delta" in chunk)


async def live_run(house: House, *, other_than: str = "", principal: str = "local") -> str:
    """Return the id of a live run, once its first text is stored."""
    while True:
        for record in await house.log.list_runs(principal=principal, items_max=10):
            if record.is_live and record.run != other_than and record.tail >= 3:
                return record.run
        await asyncio.sleep(0)


async def test_a_stream_has_the_headers_and_ids_of_a_ui_message_stream() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json=ASKED)

        run = reply.headers["x-potok-run"]
        frames = SseDecoder().feed(reply.content)
        assert reply.headers["x-vercel-ai-ui-message-stream"] == "v1"
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["x-accel-buffering"] == "no"
        assert all(frame.id.startswith(f"{run}.") for frame in frames)
        assert chunks_in(reply)[0] == {"type": "start", "messageId": f"msg_{run}"}
        assert text_in(reply) == "Привет, мир!"
        assert chunks_in(reply)[-1] == "[DONE]"


async def test_a_live_answer_is_read_again_from_its_start() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        first = asyncio.create_task(client.post(PATH, json=ASKED))
        run = await live_run(house)
        again = asyncio.create_task(client.get(f"{PATH}/chat-1/stream"))
        while house.services.runs.live_runs and not again.done():
            gate.open()
            await asyncio.sleep(0)

        one, other = await first, await again
        assert other.status_code == 200
        assert other.headers["x-potok-run"] == run
        assert chunks_in(other) == chunks_in(one)


async def test_a_chat_without_a_live_answer_is_no_content() -> None:
    async with open_house() as house, house.client() as client:
        await client.post(PATH, json=ASKED)

        ended = await client.get(f"{PATH}/chat-1/stream")
        unknown = await client.get(f"{PATH}/other/stream")
        odd = await client.get(f"{PATH}/a%2Fb/stream")

        assert [ended.status_code, unknown.status_code, odd.status_code] == [204, 204, 204]


async def test_a_new_request_takes_the_place_of_the_chats_live_answer() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        first = asyncio.create_task(client.post(PATH, json=ASKED))
        older = await live_run(house)
        second = asyncio.create_task(client.post(PATH, json=ASKED))
        newer = await live_run(house, other_than=older)
        await until_ended(house, older)
        gate.open()

        assert (await house.log.read_run(older)).status == "cancelled"
        assert chunks_in(await first)[-2]["type"] == "abort"
        assert (await second).headers["x-potok-run"] == newer
        assert text_in(await second) == "Привет, мир!"


async def test_the_same_key_reads_the_same_answer_and_replaces_nothing() -> None:
    headers = {"idempotency-key": "k-1"}
    async with open_house() as house, house.client(headers) as client:
        first = await client.post(PATH, json=ASKED)
        second = await client.post(PATH, json=ASKED)

        assert second.content == first.content
        assert len(await house.log.list_runs(principal="local", items_max=10)) == 1


async def test_a_stopped_chat_keeps_its_text() -> None:
    async with open_house((BEGIN, Gate(), REST)) as house, house.client() as client:
        reading = asyncio.create_task(client.post(PATH, json=ASKED))
        run = await live_run(house)

        stopped = await client.post(f"{PATH}/chat-1/cancel")

        assert stopped.status_code == 200
        assert stopped.json()["id"] == run
        assert stopped.json()["status"] == "cancelled"
        assert stopped.json()["message"]["text"] == "Привет"
        assert text_in(await reading) == "Привет"


async def test_a_late_stop_of_an_older_run_stops_nothing() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        reading = asyncio.create_task(client.post(PATH, json=ASKED))
        await live_run(house)

        missed = await client.post(f"{PATH}/chat-1/cancel", json={"run": NEVER})
        gate.open()

        assert missed.status_code == 204
        assert text_in(await reading) == "Привет, мир!"


async def test_a_chat_of_another_principal_cannot_be_told_from_none() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST), access=TWO) as house:
        anna = {"authorization": "Bearer key-of-anna"}
        boris = {"authorization": "Bearer key-of-boris"}
        async with house.client(anna) as hers, house.client(boris) as his:
            reading = asyncio.create_task(hers.post(PATH, json=ASKED))
            await live_run(house, principal="anna")

            resumed = await his.get(f"{PATH}/chat-1/stream")
            cancelled = await his.post(f"{PATH}/chat-1/cancel")
            gate.open()

            assert [resumed.status_code, cancelled.status_code] == [204, 204]
            assert text_in(await reading) == "Привет, мир!"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", PATH, {**ASKED, "messages": []}, 400, "invalid_request"),
        ("POST", PATH, {**ASKED, "model": "nobody"}, 404, "model_not_found"),
        ("POST", f"{PATH}/chat-1/cancel", {"run": 7}, 400, "invalid_request"),
        ("GET", f"{PATH}/{'x' * 300}/stream", None, 400, "invalid_request"),
        ("GET", f"{PATH}/chat-1/elsewhere", None, 404, "path_unknown"),
    ],
)
async def test_a_refusal_says_its_code(
    method: str, path: str, body: object, status: int, code: str
) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.request(method, path, json=body)

        assert reply.status_code == status
        assert reply.json()["error"]["code"] == code


async def test_a_reader_that_knows_its_place_goes_on_there() -> None:
    async with open_house() as house, house.client() as client:
        whole = await client.post(PATH, json=ASKED)
        frames = SseDecoder().feed(whole.content)

        rest = await client.post(PATH, json={}, headers={"last-event-id": frames[3].id})

        assert [frame.data for frame in SseDecoder().feed(rest.content)] == [
            frame.data for frame in frames[4:]
        ]
