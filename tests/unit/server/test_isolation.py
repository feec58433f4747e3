"""P9: a stream is not a credential: another person's run cannot be told from none at all."""

from typing import Any

import pytest

from potok.server.access import Access
from potok.testing.principals import ANNA, BORIS, two_principals
from tests.unit.server.house import HELLO, NEVER, open_house

CHAT = {**HELLO, "stream": True}
WAYS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/api/runs/{run}", {}),
    ("GET", "/api/runs/{run}/events", {}),
    ("GET", "/api/runs/{run}/events?after=2", {}),
    ("GET", "/api/runs/{run}/events?format=ndjson", {}),
    ("GET", "/api/runs/{run}/events?wait=1", {}),
    ("POST", "/api/runs/{run}/cancel", {"json": {}}),
    ("POST", "/v1/chat/completions", {"json": CHAT, "headers": {"last-event-id": "{run}.2"}}),
    ("POST", "/api/chat/stream", {"json": CHAT, "headers": {"last-event-id": "{run}.2"}}),
]


@pytest.mark.parametrize(("method", "path", "more"), WAYS)
async def test_another_persons_run_looks_like_none(
    method: str, path: str, more: dict[str, Any]
) -> None:
    async with (
        open_house(access=Access(principals=two_principals())) as house,
        house.client(ANNA) as anna,
        house.client(BORIS) as boris,
    ):
        run = (await anna.post("/api/runs", json=HELLO)).json()["id"]

        async def ask(wanted: str) -> tuple[int, str]:
            headers = {
                name: text.format(run=wanted) for name, text in more.get("headers", {}).items()
            }
            reply = await boris.request(
                method, path.format(run=wanted), json=more.get("json"), headers=headers
            )
            return reply.status_code, reply.text.replace(wanted, "RUN")

        foreign, unknown = await ask(run), await ask(NEVER)

    assert foreign == unknown
    assert foreign[0] == 404


async def test_another_persons_runs_are_not_listed() -> None:
    async with (
        open_house(access=Access(principals=two_principals())) as house,
        house.client(ANNA) as anna,
        house.client(BORIS) as boris,
    ):
        await anna.post("/api/runs", json=HELLO)

        theirs = (await boris.get("/api/runs")).json()
        mine = (await anna.get("/api/runs")).json()

    assert theirs["items"] == []
    assert len(mine["items"]) == 1


async def test_one_key_of_two_people_starts_two_runs() -> None:
    key = {"idempotency-key": "same"}
    async with (
        open_house(access=Access(principals=two_principals())) as house,
        house.client({**ANNA, **key}) as anna,
        house.client({**BORIS, **key}) as boris,
    ):
        first = await anna.post("/api/runs", json=HELLO)
        second = await boris.post("/api/runs", json=HELLO)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
