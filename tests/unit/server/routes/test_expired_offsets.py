"""A reader whose place was trimmed: it is told so, and finds the whole answer where it is sent."""

import json

import pytest

from potok.runs.settings import RunSettings
from tests.unit.server.house import HELLO, House, open_house, until_ended

# The test trims by itself.
KEPT = RunSettings(events_kept_seconds=1e6)


async def trimmed_run(house: House) -> str:
    """Return a run that has ended and whose events are gone."""
    async with house.client() as client:
        run: str = (await client.post("/api/runs", json=HELLO)).json()["id"]
    await until_ended(house, run)
    await house.log.trim(events_before=house.services.clock.now() + 1, records_before=0)
    return run


@pytest.mark.parametrize("last_seen", ["", "?after=0", "?after=3"])
async def test_an_expired_place_names_the_first_event_and_the_snapshot(last_seen: str) -> None:
    async with open_house(settings=KEPT) as house, house.client() as client:
        run = await trimmed_run(house)

        reply = await client.get(f"/api/runs/{run}/events{last_seen}")

        assert reply.status_code == 410
        error = reply.json()["error"]
        tail = (await house.log.read_run(run)).tail
        assert (error["code"], error["first"]) == ("offset_expired", str(tail + 1))
        assert error["snapshot"] == f"/api/runs/{run}"


async def test_whoever_follows_the_snapshot_has_the_whole_answer_and_reads_on_behind_it() -> None:
    async with open_house(settings=KEPT) as house, house.client() as client:
        run = await trimmed_run(house)
        gone = await client.get(f"/api/runs/{run}/events", headers={"Last-Event-ID": "3"})

        state = (await client.get(gone.json()["error"]["snapshot"])).json()
        behind = await client.get(f"/api/runs/{run}/events?after={state['offset']}")

        assert (state["status"], state["message"]["text"]) == ("finished", "Привет, мир!")
        assert state["offset"] == str((await house.log.read_run(run)).tail)
        assert behind.status_code == 204


async def test_a_long_poll_and_ndjson_are_told_the_same() -> None:
    async with open_house(settings=KEPT) as house, house.client() as client:
        run = await trimmed_run(house)

        replies = [
            await client.get(f"/api/runs/{run}/events?after=1{more}")
            for more in ("&wait=0", "&format=ndjson")
        ]

        assert [reply.status_code for reply in replies] == [410, 410]
        codes = [json.loads(reply.content)["error"]["code"] for reply in replies]
        assert codes == ["offset_expired"] * 2
