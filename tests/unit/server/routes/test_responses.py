import asyncio
import json
from typing import Any

import httpx
import pytest

from potok.events.kinds import Event, RunEnd
from potok.server.access import Access
from potok.server.principals import KeyedPrincipals
from potok.testing.gates import Gate
from potok.wire.sse import SseDecoder
from tests.unit.server.house import BEGIN, NEVER, REST, House, open_house, until_ended

PATH = "/v1/responses"
ASKED = {"model": "scripted", "input": "Hello!"}
STREAM = {**ASKED, "stream": True}
TWO = Access(principals=KeyedPrincipals({"key-of-anna": "anna", "key-of-boris": "boris"}))


def events_in(reply: httpx.Response) -> list[Any]:
    return [json.loads(frame.data) for frame in SseDecoder().feed(reply.content)]


def text_in(response: Any) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for message in messages for part in message["content"])


async def messages_of(house: House, response: str) -> Any:
    record = await house.log.read_run(response.removeprefix("resp_"))
    return record.request.messages


async def test_a_stream_is_numbered_from_its_creation_to_its_completion() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json=STREAM)

        events = events_in(reply)
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert list(dict.fromkeys(event["type"] for event in events)) == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
        assert text_in(events[-1]["response"]) == "Привет, мир!"
        assert events[-1]["response"]["usage"]["total_tokens"] == 5


async def test_a_whole_response_is_what_the_stream_ended_with_and_what_is_retrieved() -> None:
    async with open_house() as house, house.client() as client:
        streamed = events_in(await client.post(PATH, json=STREAM))[-1]["response"]
        retrieved = (await client.get(f"{PATH}/{streamed['id']}")).json()
        whole = (await client.post(PATH, json=ASKED)).json()

        assert retrieved == streamed
        assert whole["status"] == "completed"
        assert text_in(whole) == text_in(streamed)


async def test_a_replay_holds_exactly_what_follows_the_number() -> None:
    async with open_house() as house, house.client() as client:
        first = await client.post(PATH, json=STREAM)
        response = events_in(first)[0]["response"]["id"]
        frames = SseDecoder().feed(first.content)

        whole = await client.get(f"{PATH}/{response}?stream=true")
        assert SseDecoder().feed(whole.content) == frames
        for number in range(len(frames)):
            address = f"{PATH}/{response}?stream=true&starting_after={number}"
            rest = await client.get(address)
            assert SseDecoder().feed(rest.content) == frames[number + 1 :], number
            assert rest.status_code == (204 if number == len(frames) - 1 else 200)


async def test_a_reader_of_a_live_response_goes_on_after_a_number() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        started = await client.post(PATH, json={**ASKED, "background": True})
        response = started.json()["id"]
        record = await house.log.read_run(response.removeprefix("resp_"))
        await house.log.wait_beyond(record.run, record.tail, seconds=5)
        rest = asyncio.create_task(client.get(f"{PATH}/{response}?stream=true&starting_after=1"))
        await asyncio.sleep(0)
        gate.open()

        events = events_in(await rest)
        assert started.json()["status"] in ("queued", "in_progress")
        assert events[0]["sequence_number"] == 2
        assert text_in(events[-1]["response"]) == "Привет, мир!"


async def test_a_number_that_no_event_has_is_refused() -> None:
    async with open_house() as house, house.client() as client:
        response = (await client.post(PATH, json=ASKED)).json()["id"]

        beyond = await client.get(f"{PATH}/{response}?stream=true&starting_after=10")
        garbage = await client.get(f"{PATH}/{response}?stream=true&starting_after=-1")
        alone = await client.get(f"{PATH}/{response}?starting_after=1")

        assert [beyond.status_code, garbage.status_code, alone.status_code] == [400, 400, 400]
        assert beyond.json()["error"]["code"] == "offset_invalid"


async def test_events_that_are_trimmed_are_gone_but_the_response_stays() -> None:
    async with open_house() as house, house.client() as client:
        response = (await client.post(PATH, json=ASKED)).json()["id"]
        await house.log.trim(events_before=1e12, records_before=0)

        replay = await client.get(f"{PATH}/{response}?stream=true&starting_after=3")
        whole = await client.get(f"{PATH}/{response}")

        assert replay.status_code == 410
        assert replay.json()["error"]["code"] == "offset_expired"
        assert replay.json()["error"]["type"] == "invalid_request_error"
        assert text_in(whole.json()) == "Привет, мир!"


async def test_a_cancelled_response_keeps_its_text_and_says_so() -> None:
    async with open_house((BEGIN, Gate(), REST)) as house, house.client() as client:
        response = (await client.post(PATH, json={**ASKED, "background": True})).json()["id"]
        run = response.removeprefix("resp_")
        while (record := await house.log.read_run(run)).tail < 3:
            await house.log.wait_beyond(record.run, record.tail, seconds=5)

        cancelled = await client.post(f"{PATH}/{response}/cancel")
        again = await client.post(f"{PATH}/{response}/cancel")
        events = events_in(await client.get(f"{PATH}/{response}?stream=true"))

        assert cancelled.json()["status"] == again.json()["status"] == "cancelled"
        assert text_in(cancelled.json()) == "Привет"
        assert cancelled.json()["output"][0]["status"] == "incomplete"
        assert events[-1]["type"] == "response.incomplete"
        assert events[-1]["response"] == again.json()


async def test_a_failed_response_is_told_with_its_reason() -> None:
    broken: list[Event] = [RunEnd(outcome="failed", code="upstream_lost", message="It went away.")]
    async with open_house((BEGIN, broken)) as house, house.client() as client:
        reply = await client.post(PATH, json=STREAM)

        last = events_in(reply)[-1]
        assert last["type"] == "response.failed"
        assert last["response"]["error"]["code"] == "server_error"
        assert text_in(last["response"]) == "Привет"


async def test_a_response_goes_on_after_another_without_its_instructions() -> None:
    async with open_house() as house, house.client() as client:
        first = {**ASKED, "instructions": "Be brief."}
        one = (await client.post(PATH, json=first)).json()
        second = {
            **ASKED,
            "input": [{"role": "user", "content": "And now?"}],
            "instructions": "Be long.",
            "previous_response_id": one["id"],
        }
        two = (await client.post(PATH, json=second)).json()
        three = (await client.post(PATH, json={**ASKED, "previous_response_id": two["id"]})).json()

        assert await messages_of(house, three["id"]) == (
            {"role": "user", "content": "Hello!"},
            {"role": "assistant", "content": "Привет, мир!"},
            {"role": "user", "content": "And now?"},
            {"role": "assistant", "content": "Привет, мир!"},
            {"role": "user", "content": "Hello!"},
        )
        assert (await messages_of(house, two["id"]))[0]["content"] == "Be long."
        assert two["previous_response_id"] == one["id"]
        assert two["instructions"] == "Be long."


async def test_a_response_that_is_not_there_cannot_be_gone_on_after() -> None:
    async with open_house() as house, house.client() as client:
        wanted = {**ASKED, "previous_response_id": f"resp_{NEVER}"}

        reply = await client.post(PATH, json=wanted)

        assert reply.status_code == 400
        assert reply.json()["error"]["code"] == "previous_response_not_found"
        assert reply.json()["error"]["param"] == "previous_response_id"


async def test_a_deleted_response_is_gone_from_every_face() -> None:
    async with open_house() as house, house.client() as client:
        response = (await client.post(PATH, json=ASKED)).json()["id"]
        run = response.removeprefix("resp_")

        deleted = await client.delete(f"{PATH}/{response}")

        assert deleted.json() == {"id": response, "object": "response", "deleted": True}
        assert (await client.get(f"{PATH}/{response}")).status_code == 404
        assert (await client.delete(f"{PATH}/{response}")).status_code == 404
        assert (await client.get(f"/api/runs/{run}")).status_code == 404
        assert (await client.get(f"/api/runs/{run}/events")).status_code == 404


async def test_a_live_response_is_stopped_when_it_is_deleted() -> None:
    async with open_house((BEGIN, Gate(), REST)) as house, house.client() as client:
        response = (await client.post(PATH, json={**ASKED, "background": True})).json()["id"]

        deleted = await client.delete(f"{PATH}/{response}")

        assert deleted.status_code == 200
        assert house.services.runs.live_runs == 0


async def test_a_response_that_is_not_stored_is_answered_and_not_retrieved() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post(PATH, json={**ASKED, "store": False})

        assert text_in(reply.json()) == "Привет, мир!"
        assert reply.json()["store"] is False
        assert (await client.get(f"{PATH}/{reply.json()['id']}")).status_code == 404


async def test_input_items_are_listed_newest_first_and_page_by_page() -> None:
    items = [{"role": "user", "content": f"{number}"} for number in range(3)]
    async with open_house() as house, house.client() as client:
        response = (await client.post(PATH, json={**ASKED, "input": items})).json()["id"]
        address = f"{PATH}/{response}/input_items"

        first = (await client.get(f"{address}?limit=2")).json()
        rest = (await client.get(f"{address}?limit=2&after={first['last_id']}")).json()
        rising = (await client.get(f"{address}?order=asc")).json()

        assert [item["content"] for item in first["data"]] == ["2", "1"]
        assert first["has_more"] is True
        assert [item["content"] for item in rest["data"]] == ["0"]
        assert rest["has_more"] is False
        assert [item["content"] for item in rising["data"]] == ["0", "1", "2"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "order=up", "after=nothing"])
async def test_a_wrong_list_is_refused(query: str) -> None:
    async with open_house() as house, house.client() as client:
        response = (await client.post(PATH, json=ASKED)).json()["id"]

        reply = await client.get(f"{PATH}/{response}/input_items?{query}")

        assert reply.status_code == 400
        assert reply.json()["error"]["param"] == query.partition("=")[0]


async def test_the_same_key_is_the_same_response() -> None:
    async with open_house() as house, house.client({"idempotency-key": "k"}) as client:
        first = await client.post(PATH, json=STREAM)
        second = await client.post(PATH, json=ASKED)

        assert events_in(first)[0]["response"]["id"] == second.json()["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "?stream=true"),
        ("GET", "/input_items"),
        ("POST", "/cancel"),
        ("DELETE", ""),
    ],
)
async def test_a_response_of_another_principal_cannot_be_told_from_none(
    method: str, path: str
) -> None:
    anna = {"authorization": "Bearer key-of-anna"}
    boris = {"authorization": "Bearer key-of-boris"}
    async with (
        open_house(access=TWO) as house,
        house.client(anna) as hers,
        house.client(boris) as his,
    ):
        response = (await hers.post(PATH, json=ASKED)).json()["id"]
        await until_ended(house, response.removeprefix("resp_"))

        foreign = await his.request(method, f"{PATH}/{response}{path}")
        none = await his.request(method, f"{PATH}/resp_{NEVER}{path}")

        assert foreign.status_code == none.status_code == 404
        assert foreign.text.replace(response, "?") == none.text.replace(f"resp_{NEVER}", "?")
        assert foreign.json()["error"]["code"] == "response_not_found"


async def test_a_run_of_another_face_is_no_response() -> None:
    async with open_house() as house, house.client() as client:
        asked = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}
        run = (await client.post("/api/runs", json=asked)).json()["id"]

        reply = await client.get(f"{PATH}/resp_{run}")

        assert reply.status_code == 404
