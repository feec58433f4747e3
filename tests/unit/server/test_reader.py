import httpx
import pytest

from potok import limits
from potok.dialects.dialect import Reading
from potok.server.reader import reading_of
from potok.wire.sse import SseDecoder, SseEvent
from tests.unit.server.house import HELLO, open_house

PATH = "/v1/chat/completions"


def events_in(reply: httpx.Response) -> list[SseEvent]:
    return SseDecoder().feed(reply.content)


async def test_an_answer_names_the_model_by_its_own_name_and_the_second_it_began() -> None:
    async with open_house() as house, house.client() as client:
        run = (await client.post("/api/runs", json=HELLO)).json()["id"]
        record = await house.services.runs.find(run, principal="local")

        reading = reading_of(record, ids_name_run=True, include_usage=True)

        assert reading == Reading(
            run=run,
            model="scripted",
            created=int(record.created_at),
            ids_name_run=True,
            include_usage=True,
        )


@pytest.mark.parametrize("events_max", [1, 2, 3, 100])
async def test_what_a_reader_has_seen_is_passed_over_page_by_page(
    events_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house() as house, house.client() as client:
        whole = events_in(await client.post(PATH, json={**HELLO, "stream": True}))
        monkeypatch.setattr(limits, "READ_EVENTS_MAX", events_max)
        for place, seen in enumerate(whole[:-1]):
            again = await client.post(
                PATH, json={**HELLO, "stream": True}, headers={"last-event-id": seen.id}
            )

            assert events_in(again) == whole[place + 1 :]


async def test_a_native_reader_needs_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_house() as house, house.client() as client:
        run = (await client.post("/api/runs", json=HELLO)).json()["id"]
        whole = events_in(await client.get(f"/api/runs/{run}/events"))

        async def read_page(*_: object, **__: object) -> None:
            raise AssertionError("no page before the place is read")

        monkeypatch.setattr(house.services.runs, "read_page", read_page)
        again = await client.get(f"/api/runs/{run}/events?after=3")

        assert events_in(again) == whole[3:]
