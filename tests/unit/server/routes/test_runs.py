import asyncio
from typing import Any

import httpx
import pytest

from potok.errors import LogLost, OffsetExpired, PotokError
from potok.events.envelope import Offset
from potok.server.access import Access
from potok.streamlog.contract import Page
from potok.testing.gates import Gate
from potok.testing.principals import ANNA, BORIS, two_principals
from potok.wire.sse import SseDecoder, SseEvent
from tests.unit.server.house import BEGIN, HELLO, NEVER, REST, House, open_house

TWO = Access(principals=two_principals())


async def start(client: httpx.AsyncClient, **more: Any) -> str:
    reply = await client.post("/api/runs", json={**HELLO, **more})
    assert reply.status_code == 201, reply.text
    run: str = reply.json()["id"]
    return run


async def finish(house: House, run: str, principal: str = "local") -> str:
    """Wait for a run's end; return its last offset."""
    record = await house.services.runs.find(run, principal=principal)
    await house.services.runs.settle(record)
    record = await house.services.runs.find(run, principal=principal)
    return str(record.tail)


def events_in(reply: httpx.Response) -> list[SseEvent]:
    return SseDecoder().feed(reply.content)


async def test_a_start_answers_201_with_the_run_and_where_to_read_it() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post("/api/runs", json=HELLO)

        run = reply.json()["id"]
        assert reply.status_code == 201
        assert reply.json() == {
            "id": run,
            "status": "queued",
            "events": f"/api/runs/{run}/events",
        }
        assert reply.headers["x-potok-run"] == run
        assert reply.headers["location"] == f"/api/runs/{run}"


async def test_the_same_start_with_the_same_key_attaches() -> None:
    async with open_house() as house, house.client({"idempotency-key": "k"}) as client:
        first = await client.post("/api/runs", json=HELLO)
        again = await client.post("/api/runs", json=HELLO)

        assert [first.status_code, again.status_code] == [201, 200]
        assert first.json()["id"] == again.json()["id"] == again.headers["x-potok-run"]
        assert len(house.model.requests) == 1


async def test_the_same_key_for_another_request_is_a_conflict() -> None:
    async with open_house() as house, house.client({"idempotency-key": "k"}) as client:
        await client.post("/api/runs", json=HELLO)
        reply = await client.post("/api/runs", json={**HELLO, "temperature": 0.5})

        assert reply.status_code == 409
        assert reply.json()["error"]["code"] == "idempotency_conflict"


async def test_a_key_of_one_principal_is_none_of_another() -> None:
    async with open_house(access=TWO) as house, house.client() as client:
        headers = {"idempotency-key": "k"}
        anna = await client.post("/api/runs", json=HELLO, headers=headers | ANNA)
        boris = await client.post("/api/runs", json=HELLO, headers=headers | BORIS)

        assert [anna.status_code, boris.status_code] == [201, 201]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "scripted"}, "messages"),
        ({"model": 7, "messages": HELLO["messages"]}, "model"),
        ({**HELLO, "agent": "coder"}, "agent"),
        ({"agent": "nobody", "input": 1}, "agent"),
        ({**HELLO, "stream": True}, "stream"),
        ({**HELLO, "on_disconnect": "x"}, "on_disconnect"),
    ],
)
async def test_a_wrong_field_is_a_400_that_names_it(body: dict[str, Any], param: str) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post("/api/runs", json=body)

        assert reply.status_code == 400
        assert reply.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"a=b", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    content: bytes, content_type: str, status: int
) -> None:
    async with open_house() as house, house.client({"content-type": content_type}) as client:
        reply = await client.post("/api/runs", content=content)

        assert reply.status_code == status
        assert reply.json()["error"]["message"]


async def test_an_unknown_model_is_a_404_that_lists_the_known_ones() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.post("/api/runs", json={**HELLO, "model": "nothing"})

        assert reply.status_code == 404
        assert "scripted" in reply.json()["error"]["message"]


async def test_a_long_idempotency_key_is_refused() -> None:
    async with open_house() as house, house.client({"idempotency-key": "k" * 256}) as client:
        reply = await client.post("/api/runs", json=HELLO)

        assert reply.status_code == 400


async def test_a_start_with_a_last_event_id_attaches_and_never_starts() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        replies = [
            await client.post("/api/runs", json=HELLO, headers={"last-event-id": named})
            for named in (f"{run}.2", f"{NEVER}.2", "2", "garbage!")
        ]

        assert [reply.status_code for reply in replies] == [200, 404, 400, 400]
        assert replies[0].json()["id"] == run
        assert len(house.model.requests) == 1


async def test_the_whole_stream_is_read_from_the_start() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        reply = await client.get(f"/api/runs/{run}/events")

        kinds = [event.event for event in events_in(reply)]
        assert kinds[0] == "run-start"
        assert kinds[-1] == "run-end"
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reply.headers["x-potok-run"] == run


async def test_a_reader_goes_on_after_any_offset_with_none_lost_and_none_twice() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        whole = events_in(await client.get(f"/api/runs/{run}/events"))
        for place in range(len(whole)):
            by_query = await client.get(f"/api/runs/{run}/events?after={place}")
            by_header = await client.get(
                f"/api/runs/{run}/events?after=0", headers={"last-event-id": f"{run}.{place}"}
            )

            assert events_in(by_query) == events_in(by_header) == whole[place:]


async def test_a_reader_at_the_end_gets_204_so_that_an_eventsource_stops() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        tail = await finish(house, run)
        replies = [
            await client.get(f"/api/runs/{run}/events?after={tail}"),
            await client.get(f"/api/runs/{run}/events", headers={"last-event-id": f"{run}.{tail}"}),
            await client.get(f"/api/runs/{run}/events?after={tail}&format=ndjson"),
            await client.get(f"/api/runs/{run}/events?after={tail}.1"),
        ]

        assert [reply.status_code for reply in replies] == [204] * 4
        assert [reply.content for reply in replies] == [b""] * 4


@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ("x", 400, "offset_invalid"),
        ("-1", 400, "offset_invalid"),
        ("99", 400, "offset_invalid"),
        ("2.2", 400, "offset_invalid"),
        ("0.1", 400, "offset_invalid"),
        (f"{NEVER}.2", 404, "run_not_found"),
    ],
)
@pytest.mark.parametrize("is_live", [True, False])
async def test_a_place_that_is_none_of_the_run_is_refused(
    place: str, status: int, code: str, is_live: bool
) -> None:
    gate = Gate()
    script = (BEGIN, gate, REST) if is_live else (BEGIN, REST)
    async with open_house(script) as house, house.client() as client:
        run = await start(client)
        if is_live:
            await gate.until_waited_for()
        else:
            await finish(house, run)
        reply = await client.get(f"/api/runs/{run}/events?after={place}")

        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OffsetExpired(run="run-00000000000000000001", wanted=1, first=5), "offset_expired"),
        (LogLost("Events of this run are lost."), "log_lost"),
    ],
)
async def test_events_that_are_gone_are_a_410(
    error: PotokError, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(*_: object, **__: object) -> Page:
        raise error

    async with open_house() as house, house.client() as client:
        run = await start(client)
        await finish(house, run)
        monkeypatch.setattr(house.log, "read", read)
        reply = await client.get(f"/api/runs/{run}/events?after=1")

        assert (reply.status_code, reply.json()["error"]["code"]) == (410, code)
        if code == "offset_expired":
            assert reply.json()["error"]["snapshot"] == f"/api/runs/{run}"


@pytest.mark.parametrize(
    ("accept", "query", "media_type"),
    [
        ("*/*", "", "text/event-stream; charset=utf-8"),
        ("application/x-ndjson", "", "application/x-ndjson"),
        ("text/event-stream", "?format=ndjson", "application/x-ndjson"),
        ("application/x-ndjson", "?format=sse", "text/event-stream; charset=utf-8"),
    ],
)
async def test_the_framing_is_chosen_by_accept_or_format(
    accept: str, query: str, media_type: str
) -> None:
    async with open_house() as house, house.client({"accept": accept}) as client:
        run = await start(client)
        reply = await client.get(f"/api/runs/{run}/events{query}")

        assert reply.headers["content-type"] == media_type


async def test_an_unknown_format_is_refused() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        reply = await client.get(f"/api/runs/{run}/events?format=xml")

        assert (reply.status_code, reply.json()["error"]["param"]) == (400, "format")


async def test_a_long_poll_gives_what_there_is_and_says_when_it_is_all() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        run = await start(client)
        await gate.until_waited_for()
        first = (await client.get(f"/api/runs/{run}/events?wait=10")).json()
        nothing = (
            await client.get(f"/api/runs/{run}/events?wait=0&after={first['offset']}")
        ).json()
        gate.open()
        await finish(house, run)
        rest = (await client.get(f"/api/runs/{run}/events?wait=10&after={first['offset']}")).json()
        end = (await client.get(f"/api/runs/{run}/events?wait=0&after={rest['offset']}")).json()

        assert first["events"][0]["event"] == "run-start"
        assert first["done"] is False
        assert nothing == {"events": [], "offset": first["offset"], "done": False}
        assert rest["events"][-1]["event"] == "run-end"
        assert rest["events"][-1]["id"] == rest["offset"]
        assert rest["done"] is True
        assert end == {"events": [], "offset": rest["offset"], "done": True}


async def test_a_long_poll_waits_for_the_next_event() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        run = await start(client)
        await gate.until_waited_for()
        page = (await client.get(f"/api/runs/{run}/events?wait=0")).json()
        waiting = asyncio.create_task(
            client.get(f"/api/runs/{run}/events?wait=10&after={page['offset']}")
        )
        gate.open()
        reply = await waiting

        assert reply.json()["events"]


@pytest.mark.parametrize("wait", ["x", "-1", "nan", "inf", ""])
async def test_a_wait_that_is_no_time_is_refused(wait: str) -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        reply = await client.get(f"/api/runs/{run}/events?wait={wait}")

        assert (reply.status_code, reply.json()["error"]["param"]) == (400, "wait")


async def test_a_long_poll_refuses_the_same_places_as_a_stream() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        await finish(house, run)
        places = ("x", "99", "2.2", f"{NEVER}.1")
        replies = [
            await client.get(f"/api/runs/{run}/events?wait=0&after={place}") for place in places
        ]

        assert [reply.status_code for reply in replies] == [400, 400, 400, 404]


async def test_the_state_of_a_live_run_holds_its_text_so_far() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        run = await start(client)
        await gate.until_waited_for()
        reply = await client.get(f"/api/runs/{run}")

        assert reply.status_code == 200
        assert reply.json()["status"] == "running"
        assert reply.json()["message"]["text"] in ("", "Привет")


async def test_the_state_of_a_finished_run_holds_all_of_it() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        tail = await finish(house, run)
        state = (await client.get(f"/api/runs/{run}")).json()

        assert (state["id"], state["status"], state["offset"]) == (run, "finished", tail)
        assert state["message"]["role"] == "assistant"
        assert state["message"]["text"] == "Привет, мир!"
        assert state["usage"]["completion_tokens"] == 2
        assert state["error"] is None


async def test_a_cancelled_run_keeps_its_text_and_may_be_cancelled_again() -> None:
    async with open_house((BEGIN, Gate(), REST)) as house, house.client() as client:
        run = await start(client)
        page = (await client.get(f"/api/runs/{run}/events?wait=10&after=1")).json()
        replies = [await client.post(f"/api/runs/{run}/cancel") for _ in range(2)]

        assert page["events"]
        assert [reply.status_code for reply in replies] == [200, 200]
        assert [reply.json()["status"] for reply in replies] == ["cancelled", "cancelled"]
        assert replies[0].json()["message"]["text"] == "Привет"
        assert house.model.live == 0


async def test_a_cancel_that_is_not_done_yet_is_a_202(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        run = await start(client)
        await gate.until_waited_for()

        async def cancel(*_: object, **__: object) -> object:
            return await house.services.runs.find(run, principal="local")

        monkeypatch.setattr(house.services.runs, "cancel", cancel)
        reply = await client.post(f"/api/runs/{run}/cancel")

        assert (reply.status_code, reply.json()["status"]) == (202, "running")


async def test_runs_are_listed_newest_first_page_by_page() -> None:
    async with open_house() as house, house.client() as client:
        runs = [await start(client) for _ in range(3)]
        for run in runs:
            await finish(house, run)
        first = (await client.get("/api/runs?limit=2")).json()
        second = (await client.get(f"/api/runs?limit=2&cursor={first['next_cursor']}")).json()

        assert [item["id"] for item in first["items"]] == [runs[2], runs[1]]
        assert [item["id"] for item in second["items"]] == [runs[0]]
        assert second["next_cursor"] is None
        assert first["items"][0]["status"] == "finished"


async def test_runs_are_listed_by_status() -> None:
    async with open_house() as house, house.client() as client:
        await finish(house, await start(client))
        finished = (await client.get("/api/runs?status=finished")).json()
        running = (await client.get("/api/runs?status=running")).json()

        assert (len(finished["items"]), len(running["items"])) == (1, 0)


@pytest.mark.parametrize("query", ["status=x", "limit=0", "limit=201", "limit=x", "limit=-1"])
async def test_a_list_that_cannot_be_is_refused(query: str) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.get(f"/api/runs?{query}")

        assert (reply.status_code, reply.json()["error"]["param"]) == (400, query.split("=")[0])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/runs/{run}"),
        ("GET", "/api/runs/{run}/events"),
        ("GET", "/api/runs/{run}/events?after=2"),
        ("GET", "/api/runs/{run}/events?after=99&wait=0"),
        ("POST", "/api/runs/{run}/cancel"),
    ],
)
async def test_a_foreign_run_cannot_be_told_from_one_that_never_was(method: str, path: str) -> None:
    async with open_house(access=TWO) as house, house.client() as client:
        reply = await client.post("/api/runs", json=HELLO, headers=ANNA)
        run = reply.json()["id"]
        await finish(house, run, principal="anna")
        foreign = await client.request(method, path.format(run=run), headers=BORIS)
        unknown = await client.request(method, path.format(run=NEVER), headers=BORIS)

        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content.replace(run.encode(), NEVER.encode()) == unknown.content
        assert foreign.headers == unknown.headers


async def test_a_foreign_run_is_not_listed_and_not_attached_to() -> None:
    async with open_house(access=TWO) as house, house.client() as client:
        run = (await client.post("/api/runs", json=HELLO, headers=ANNA)).json()["id"]
        listed = await client.get("/api/runs", headers=BORIS)
        attached = await client.post(
            "/api/runs", json=HELLO, headers=BORIS | {"last-event-id": f"{run}.1"}
        )

        assert listed.json() == {"items": [], "next_cursor": None}
        assert attached.status_code == 404


async def test_a_run_is_kept_when_its_caller_asks_for_it() -> None:
    async with open_house() as house, house.client() as client:
        wish = {"x-potok-on-disconnect": "keep"}
        kept = await client.post(
            "/api/runs", json={**HELLO, "on_disconnect": "cancel"}, headers=wish
        )
        refused = await client.post(
            "/api/runs", json=HELLO, headers={"x-potok-on-disconnect": "no"}
        )
        record = await house.services.runs.find(kept.json()["id"], principal="local")

        assert record.request.on_disconnect == "keep"
        assert refused.status_code == 400


async def test_the_language_of_a_run_is_fixed_by_its_start() -> None:
    async with open_house() as house, house.client({"accept-language": "ru-RU"}) as client:
        run = await start(client)
        own = await start(client, language="en")
        records = [await house.services.runs.find(one, principal="local") for one in (run, own)]

        assert [record.request.language for record in records] == ["ru", "en"]


async def test_a_server_that_goes_down_starts_nothing() -> None:
    async with open_house() as house, house.client() as client:
        house.services.runs.drain()
        reply = await client.post("/api/runs", json=HELLO)

        assert reply.status_code == 503
        assert reply.headers["retry-after"]
        assert house.model.requests == []


async def test_offsets_are_strings_everywhere() -> None:
    async with open_house() as house, house.client() as client:
        run = await start(client)
        tail = await finish(house, run)
        listed = (await client.get("/api/runs")).json()["items"][0]
        page = (await client.get(f"/api/runs/{run}/events?wait=0")).json()

        assert listed["offset"] == page["offset"] == tail
        assert Offset(int(tail)) > 0
