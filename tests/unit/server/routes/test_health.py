from potok.testing.gates import Gate
from tests.unit.server.house import BEGIN, HELLO, REST, open_house


async def test_a_probe_is_told_what_runs() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, house.client() as client:
        await client.post("/api/runs", json=HELLO)
        await gate.until_waited_for()
        reply = await client.get("/healthz")

        body = reply.json()
        assert reply.status_code == 200
        assert (body["status"], body["version"], body["live_runs"]) == ("ok", "1.2.3", 1)
        assert body["uptime_seconds"] >= 0
