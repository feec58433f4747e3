import asyncio
import json
from typing import Any

import pytest

from potok import limits
from potok.events.kinds import Event, TextDelta
from potok.runs.settings import RunSettings
from potok.server.access import Access
from potok.testing.gates import Gate
from potok.testing.principals import two_principals
from tests.unit.server.house import BEGIN, HELLO, NEVER, REST, House, open_house
from tests.unit.server.socket_client import Closed, SocketClient, open_socket

START = {"op": "start", "ref": "a", "run": HELLO}
TWO = Access(principals=two_principals())
QUIET = RunSettings(heartbeat_seconds=1_000)


async def start(client: SocketClient, **more: Any) -> str:
    """Start a run and return its id."""
    client.send({**START, **more})
    answer = await client.receive()
    assert answer["op"] == "started", answer
    run: str = answer["run"]
    return run


async def events_of(client: SocketClient) -> list[Any]:
    """Return a run's events to its end; all other messages are a fault."""
    events = await client.receive_until("event", "run-end")
    assert all("op" not in event for event in events)
    return events


def text_of(events: list[Any]) -> str:
    return "".join(event["text"] for event in events if event["event"] == "text-delta")


async def natively(house: House, run: str) -> list[Any]:
    """Return the run's events as its own path gives them, as they were on a socket."""
    async with house.client() as client:
        reply = await client.get(f"/api/runs/{run}/events?format=ndjson")
        lines = reply.text.splitlines()
    return [{"run": run, **json.loads(line)} for line in lines]


async def test_a_start_is_answered_and_its_events_follow() -> None:
    async with open_house() as house, open_socket(house.app, "/api/ws") as client:
        client.send(START)
        answer = await client.receive()
        events = await events_of(client)

        assert answer == {
            "op": "started",
            "ref": "a",
            "run": events[0]["run"],
            "status": "queued",
            "created": True,
        }
        assert text_of(events) == "Привет, мир!"
        assert events == await natively(house, answer["run"])


async def test_a_start_keeps_its_run_and_is_of_the_native_face() -> None:
    async with open_house() as house:
        async with open_socket(house.app, "/api/ws", headers={"accept-language": "ru"}) as client:
            run = await start(client)
        record = await house.services.runs.find(run, principal="local")

        assert record.request.on_disconnect == "keep"
        assert record.request.face == "native"
        assert record.request.language == "ru"


async def test_the_same_key_finds_its_run_and_reads_it_from_the_start() -> None:
    async with open_house() as house:
        async with open_socket(house.app, "/api/ws") as client:
            run = await start(client, idempotency_key="k")
        async with open_socket(house.app, "/api/ws") as client:
            client.send({**START, "idempotency_key": "k"})
            answer = await client.receive()
            events = await events_of(client)

            client.send({**START, "idempotency_key": "k", "run": {**HELLO, "seed": 1}})
            refusal = await client.receive()

        assert (answer["run"], answer["created"]) == (run, False)
        assert text_of(events) == "Привет, мир!"
        assert (refusal["ref"], refusal["code"]) == ("a", "idempotency_conflict")
        assert refusal["run"] == run
        assert len(house.model.requests) == 1


@pytest.mark.parametrize("is_live", [True, False])
async def test_a_subscriber_gets_what_follows_its_place_none_lost_and_none_twice(
    is_live: bool,
) -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST), settings=QUIET) as house:
        async with open_socket(house.app, "/api/ws") as client:
            run = await start(client)
            first = [await client.receive() for _ in range(3)]
            if not is_live:
                gate.open()
                await events_of(client)
        whole: list[Any] = []
        for seen in range(3):
            async with open_socket(house.app, "/api/ws") as client:
                after = first[seen]["id"]
                client.send({"op": "subscribe", "ref": 1, "run": run, "after": after})
                rest = [await client.receive() for _ in range(2 - seen)]
                assert first[: seen + 1] + rest == first
                if seen == 2:
                    gate.open()
                    whole = first + await events_of(client)

        assert whole == await natively(house, run)


async def test_many_runs_share_one_socket_and_each_is_whole() -> None:
    async with open_house() as house, open_socket(house.app, "/api/ws") as client:
        for ref in range(8):
            client.send({**START, "ref": ref})
        ended, runs = 0, {}
        messages: dict[str, list[Any]] = {}
        while ended < 8:
            message = await client.receive()
            if "op" in message:
                runs[message["ref"]] = message["run"]
            else:
                messages.setdefault(message["run"], []).append(message)
                ended += message["event"] == "run-end"

        assert len(set(runs.values())) == 8
        for run in runs.values():
            assert messages[run] == await natively(house, run)


async def test_a_second_subscription_moves_the_first_one_and_never_doubles_it() -> None:
    gate = Gate()
    async with (
        open_house((BEGIN, gate, REST), settings=QUIET) as house,
        open_socket(house.app, "/api/ws") as client,
    ):
        run = await start(client)
        first = [await client.receive() for _ in range(3)]
        client.send({"op": "subscribe", "run": run, "after": first[0]["id"]})
        again = [await client.receive() for _ in range(2)]
        gate.open()
        rest = await events_of(client)

        assert again == first[1:]
        assert first + rest == await natively(house, run)


async def test_nothing_comes_after_unsubscribe_and_the_run_goes_on() -> None:
    gate = Gate()
    async with (
        open_house((BEGIN, gate, REST), settings=QUIET) as house,
        open_socket(house.app, "/api/ws") as client,
    ):
        run = await start(client)
        await gate.until_waited_for()
        for _ in range(3):
            await client.receive()
        client.send({"op": "unsubscribe", "run": run})
        client.send({"op": "unsubscribe", "run": run})
        client.send({"op": "ping", "ref": "still there"})
        assert await client.receive() == {"op": "pong", "ref": "still there"}

        gate.open()
        assert len(await natively(house, run)) == 7
        assert client.untaken == 0


async def test_cancel_ends_the_run_and_says_so() -> None:
    gate = Gate()
    async with (
        open_house((BEGIN, gate, REST)) as house,
        open_socket(house.app, "/api/ws") as client,
    ):
        run = await start(client)
        await gate.until_waited_for()
        client.send({"op": "cancel", "ref": "c", "run": run})
        messages = await client.receive_until("op", "cancelled")
        if messages[-2].get("event") != "run-end":
            messages += await client.receive_until("event", "run-end")

        ends = [one for one in messages if one.get("event") == "run-end"]
        assert {"op": "cancelled", "ref": "c", "run": run, "status": "cancelled"} in messages
        assert [end["outcome"] for end in ends] == ["cancelled"]
        assert house.model.closed == 1

        client.send({"op": "cancel", "run": run})
        assert (await client.receive())["status"] == "cancelled"


async def test_a_subscription_at_the_end_of_an_ended_run_hears_that_nothing_follows() -> None:
    async with open_house() as house, open_socket(house.app, "/api/ws") as client:
        run = await start(client)
        last = (await events_of(client))[-1]["id"]
        client.send({"op": "subscribe", "ref": 1, "run": run, "after": last})

        assert await client.receive() == {"op": "ended", "ref": 1, "run": run}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"op": "subscribe", "ref": 1, "run": NEVER}, "run_not_found"),
        ({"op": "subscribe", "ref": 1, "run": "{run}", "after": "x"}, "offset_invalid"),
        ({"op": "subscribe", "ref": 1, "run": "{run}", "after": "99"}, "offset_invalid"),
        ({"op": "subscribe", "ref": 1, "run": "{run}", "after": "3.2"}, "offset_invalid"),
        ({"op": "subscribe", "ref": 1, "run": "{run}", "after": "0.1"}, "offset_invalid"),
        ({"op": "subscribe", "ref": 1, "run": "{run}", "after": f"{NEVER}.1"}, "run_not_found"),
        ({"op": "cancel", "ref": 1, "run": NEVER}, "run_not_found"),
        ({"op": "start", "ref": 1, "run": {"model": "x"}}, "invalid_request"),
        ({"op": "start", "ref": 1, "run": {**HELLO, "model": "nobody"}}, "model_not_found"),
        ({"op": "start", "ref": 1, "run": {**HELLO, "stream": True}}, "invalid_request"),
        ({"op": "dance", "ref": 1}, "invalid_request"),
    ],
)
async def test_a_refusal_has_the_code_of_http_and_the_ref_and_the_socket_goes_on(
    message: dict[str, Any], code: str
) -> None:
    async with open_house() as house, open_socket(house.app, "/api/ws") as client:
        run = await start(client)
        await events_of(client)
        if message.get("run") == "{run}":
            message = {**message, "run": run}
        client.send(message)
        refusal = await client.receive()
        client.send({"op": "ping"})

        assert (refusal["op"], refusal["ref"], refusal["code"]) == ("error", 1, code)
        assert refusal["message"]
        assert await client.receive() == {"op": "pong"}


async def test_a_message_that_is_no_json_names_the_place() -> None:
    async with open_house() as house, open_socket(house.app, "/api/ws") as client:
        client.send_text('{"op": ping}')
        refusal = await client.receive()

        assert (refusal["code"], refusal["place"]) == ("message_malformed", "byte 7")


async def test_expired_events_are_said_with_the_way_to_the_whole_answer() -> None:
    settings = RunSettings(events_kept_seconds=0)
    async with open_house(settings=settings) as house, open_socket(house.app, "/api/ws") as client:
        run = await start(client)
        await events_of(client)
        now = house.services.clock.now()
        await house.log.trim(events_before=now + 1, records_before=0)
        client.send({"op": "subscribe", "ref": 1, "run": run, "after": "2"})
        refusal = await client.receive()

        assert refusal["code"] == "offset_expired"
        assert refusal["snapshot"] == f"/api/runs/{run}"
        assert refusal["run"] == run


async def test_anothers_run_cannot_be_told_from_none() -> None:
    anna, boris = ({"authorization": f"Bearer key-of-{name}"} for name in ("anna", "boris"))
    async with open_house(access=TWO) as house:
        async with open_socket(house.app, "/api/ws", headers=anna) as client:
            run = await start(client)
            await events_of(client)
        async with open_socket(house.app, "/api/ws", headers=boris) as client:
            for op in ("subscribe", "cancel"):
                answers = []
                for wanted in (run, NEVER):
                    client.send({"op": op, "run": wanted})
                    answers.append(await client.receive())
                assert answers[0]["code"] == "run_not_found"
                assert answers[0]["message"].replace(run, NEVER) == answers[1]["message"]


async def test_a_quiet_socket_shows_that_it_lives() -> None:
    gate = Gate()
    settings = RunSettings(heartbeat_seconds=0.01)
    async with (
        open_house((BEGIN, gate, REST), settings=settings) as house,
        open_socket(house.app, "/api/ws") as client,
    ):
        assert await client.receive() == {"op": "pong"}
        assert await client.receive() == {"op": "pong"}


async def test_a_run_too_many_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOCKET_RUNS_MAX", 2)
    gate = Gate()
    async with (
        open_house((BEGIN, gate, REST), settings=QUIET) as house,
        open_socket(house.app, "/api/ws") as client,
    ):
        for _ in range(3):
            client.send(START)
        refusal = (await client.receive_until("op", "error"))[-1]
        await gate.until_waited_for()

        assert "2 runs" in refusal["message"]
        assert len(house.model.requests) == 2


async def test_a_server_that_goes_down_sends_its_sockets_to_come_back() -> None:
    gate = Gate()
    async with (
        open_house((BEGIN, gate, REST), settings=QUIET) as house,
        open_socket(house.app, "/api/ws") as client,
    ):
        await start(client)
        for _ in range(3):
            await client.receive()
        house.services.runs.drain()

        with pytest.raises(Closed) as closed:
            await client.receive()
        assert closed.value.code == 1012


async def test_a_client_that_takes_nothing_holds_one_message_and_no_other_reader_feels_it() -> None:
    long: list[Event] = [TextDelta(part="t1", text="x" * 3_000, tokens=1) for _ in range(200)]
    gate = Gate()
    async with (
        open_house((BEGIN, gate, long, REST), settings=QUIET) as house,
        open_socket(house.app, "/api/ws") as stuck,
    ):
        run = await start(stuck)
        for _ in range(3):
            await stuck.receive()
        stuck.pause()
        gate.open()

        assert len(await natively(house, run)) > 100
        assert stuck.untaken == 0

        stuck.resume()
        assert (await stuck.receive_until("event", "run-end"))[-1]["outcome"] == "finished"


async def test_runs_take_turns_on_a_socket() -> None:
    long: list[Event] = [
        TextDelta(part="t1", text="x" * 2_000, extra={"number": number}) for number in range(100)
    ]
    async with open_house((BEGIN, long, REST), settings=QUIET) as house:
        runs = []
        async with open_socket(house.app, "/api/ws") as client:
            for _ in range(2):
                runs.append(await start(client))
                await events_of(client)
        async with open_socket(house.app, "/api/ws") as client:
            client.pause()
            for run in runs:
                client.send({"op": "subscribe", "run": run})
            await asyncio.sleep(0)
            client.resume()
            order: list[str] = []
            while order.count("end") < 2:
                message = await client.receive()
                order.append(message["run"])
                if message["event"] == "run-end":
                    order.append("end")

        # Neither run had to wait until the other one was through.
        assert order.index(runs[1]) < order.index("end")
        assert order.index(runs[0]) < order.index("end")
