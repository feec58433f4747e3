import json
from typing import Any

import pytest

from potok.runs.settings import RunSettings
from potok.testing.gates import Gate
from tests.unit.server.house import BEGIN, HELLO, NEVER, REST, House, open_house
from tests.unit.server.socket_client import Closed, SocketClient, open_socket

QUIET = RunSettings(heartbeat_seconds=1_000)


async def run_of(house: House) -> str:
    async with house.client() as client:
        run: str = (await client.post("/api/runs", json=HELLO)).json()["id"]
        return run


async def natively(house: House, run: str) -> list[Any]:
    async with house.client() as client:
        reply = await client.get(f"/api/runs/{run}/events?format=ndjson")
        return [json.loads(line) for line in reply.text.splitlines()]


async def until_closed(client: SocketClient) -> tuple[list[Any], Closed]:
    messages = []
    while True:
        try:
            messages.append(await client.receive())
        except Closed as closed:
            return messages, closed


async def test_a_runs_events_come_as_messages_and_the_socket_closes_after_the_end() -> None:
    async with open_house() as house:
        run = await run_of(house)
        whole = await natively(house, run)
        async with open_socket(house.app, f"/api/runs/{run}/ws") as client:
            messages, closed = await until_closed(client)

    assert messages == whole
    assert closed.code == 1000


async def test_a_reader_comes_back_after_any_event_also_while_the_run_lives() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST), settings=QUIET) as house:
        run = await run_of(house)
        await gate.until_waited_for()
        async with open_socket(house.app, f"/api/runs/{run}/ws", query="after=2") as client:
            third = await client.receive()
            gate.open()
            rest, _ = await until_closed(client)
        whole = await natively(house, run)
        for place, seen in enumerate(whole):
            query = f"after={seen['id']}"
            async with open_socket(house.app, f"/api/runs/{run}/ws", query=query) as client:
                messages, closed = await until_closed(client)

            assert messages == whole[place + 1 :]
            assert closed.code == 1000

    assert [third, *rest] == whole[2:]


@pytest.mark.parametrize(
    ("path", "query", "code", "error"),
    [
        (f"/api/runs/{NEVER}/ws", "", 4404, "run_not_found"),
        ("/api/runs/{run}/ws", "after=garbage", 4400, "offset_invalid"),
        ("/api/runs/{run}/ws", "after=99", 4400, "offset_invalid"),
        ("/api/runs/{run}/ws", f"after={NEVER}.1", 4404, "run_not_found"),
    ],
)
async def test_a_refusal_is_a_message_and_a_code_that_says_the_status(
    path: str, query: str, code: int, error: str
) -> None:
    async with open_house() as house:
        run = await run_of(house)
        await natively(house, run)
        path = path.replace("{run}", run)
        async with open_socket(house.app, path, query=query) as client:
            messages, closed = await until_closed(client)

    assert [(one["op"], one["code"]) for one in messages] == [("error", error)]
    assert (closed.code, closed.reason) == (code, error)


async def test_pings_are_answered_and_other_messages_named_to_their_path() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST), settings=QUIET) as house:
        run = await run_of(house)
        async with open_socket(house.app, f"/api/runs/{run}/ws") as client:
            for _ in range(3):
                await client.receive()
            client.send({"op": "ping", "ref": 1})
            pong = await client.receive()
            client.send({"op": "cancel", "ref": 2, "run": run})
            refusal = await client.receive()

    assert pong == {"op": "pong", "ref": 1}
    assert (refusal["ref"], refusal["code"]) == (2, "invalid_request")
    assert "/api/ws" in refusal["message"]


async def test_a_quiet_run_shows_that_its_socket_lives() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST), settings=RunSettings(heartbeat_seconds=0.01)) as (
        house
    ):
        run = await run_of(house)
        async with open_socket(house.app, f"/api/runs/{run}/ws") as client:
            assert len(await client.receive_until("op", "pong")) >= 1


async def test_a_server_that_goes_down_sends_its_reader_to_come_back() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST), settings=QUIET) as house:
        run = await run_of(house)
        async with open_socket(house.app, f"/api/runs/{run}/ws") as client:
            await client.receive()
            house.services.runs.drain()
            _, closed = await until_closed(client)

    assert closed.code == 1012
