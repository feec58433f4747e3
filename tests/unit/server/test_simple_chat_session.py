import asyncio
from typing import Any

import pytest

from potok import limits
from potok.errors import UpstreamLost
from potok.events.envelope import START
from potok.events.kinds import Event, PartDiscard, RunEnd, TextDelta, TextEnd, TextStart
from potok.runs.settings import RunSettings
from potok.testing.gates import Gate
from tests.unit.server.house import BEGIN, REST, open_house
from tests.unit.server.socket_client import Closed, SocketClient, open_socket

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
WHOLE = ("Привет, мир!", {"type": "done"})


async def whole_answer(client: SocketClient) -> tuple[str, Any]:
    """Read an answer to its end: its text, and its last message."""
    *tokens, end = await client.receive_until("type", "done")
    assert all(token["type"] == "token" and token["content"] for token in tokens)
    return "".join(token["content"] for token in tokens), end


@pytest.mark.parametrize("path", ["/ws", "/"])
async def test_a_message_is_answered_token_by_token(path: str) -> None:
    async with open_house() as house, open_socket(house.app, path) as client:
        client.send(ASKED)

        assert await whole_answer(client) == WHOLE


async def test_a_named_model_and_parameters_reach_the_model() -> None:
    async with open_house() as house, open_socket(house.app, "/ws") as client:
        client.send({**ASKED, "model": "scripted", "temperature": 0.5})
        await client.receive_until("type", "done")

        assert house.model.requests[0].parameters == {"temperature": 0.5}


async def test_statuses_are_russian_unless_the_browser_asks_otherwise() -> None:
    async with open_house() as house:
        for headers, language in (({}, "ru"), ({"accept-language": "en"}, "en")):
            async with open_socket(house.app, "/ws", headers=headers) as client:
                client.send(ASKED)
                await client.receive_until("type", "done")
            records, _ = await house.services.runs.list_runs(
                principal="local", cursor=None, status=None, items_max=1
            )
            assert records[0].request.language == language


async def test_the_next_message_waits_for_its_turn() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, open_socket(house.app, "/ws") as client:
        client.send(ASKED)
        client.send(ASKED)
        await gate.until_waited_for()
        assert len(house.model.requests) == 1

        gate.open()

        assert await whole_answer(client) == WHOLE
        assert await whole_answer(client) == WHOLE


async def test_a_message_too_many_is_refused_and_the_others_are_answered() -> None:
    gate = Gate()
    queued = limits.SOCKET_QUEUE_MESSAGES_MAX
    async with open_house((BEGIN, gate, REST)) as house, open_socket(house.app, "/ws") as client:
        client.send(ASKED)
        await gate.until_waited_for()
        for _ in range(queued + 1):
            client.send(ASKED)
        refusal = (await client.receive_until("type", "error"))[-1]

        gate.open()
        for _ in range(queued + 1):
            await client.receive_until("type", "done")

        assert refusal["code"] == "try_again"
        assert f"{queued} messages wait" in refusal["message"]
        assert len(house.model.requests) == queued + 1


async def test_messages_that_wait_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOCKET_QUEUE_BYTES_MAX", 1_000)
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, open_socket(house.app, "/ws") as client:
        client.send(ASKED)
        await gate.until_waited_for()
        client.send({"messages": [{"role": "user", "content": "x" * 1_000}]})

        assert (await client.receive_until("type", "error"))[-1]["code"] == "try_again"


async def test_cancel_stops_the_answer_and_keeps_the_socket() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, open_socket(house.app, "/ws") as client:
        client.send(ASKED)
        await gate.until_waited_for()
        client.send({"type": "cancel"})

        stopped = await client.receive_until("type", "done")
        assert stopped[-1] == {"type": "done", "cancelled": True}
        assert house.model.closed == 1

        gate.open()
        client.send(ASKED)
        assert await whole_answer(client) == WHOLE


async def test_cancel_with_nothing_to_stop_changes_nothing() -> None:
    async with open_house() as house, open_socket(house.app, "/ws") as client:
        client.send({"type": "cancel"})
        client.send(ASKED)
        assert await whole_answer(client) == WHOLE

        client.send({"type": "cancel"})
        client.send(ASKED)
        assert await whole_answer(client) == WHOLE


async def test_a_run_that_fails_is_an_error_and_the_socket_goes_on() -> None:
    script = (BEGIN, UpstreamLost("The provider went away."))
    async with open_house(script) as house, open_socket(house.app, "/ws") as client:
        for _ in range(2):
            client.send(ASKED)
            failed = (await client.receive_until("type", "error"))[-1]

            assert failed["code"] == "upstream_lost"
            assert "went away" in failed["message"]


async def test_text_that_is_taken_back_ends_the_answer_as_failed() -> None:
    taken_back: list[Event] = [
        TextStart(part="t1"),
        TextDelta(part="t1", text="Wrong"),
        TextEnd(part="t1"),
        PartDiscard(part="t1", reason="restart"),
    ]
    async with (
        open_house((taken_back, REST[-1:])) as house,
        open_socket(house.app, "/ws") as client,
    ):
        client.send(ASKED)

        assert (await client.receive_until("type", "error"))[-1]["code"] == "part_discarded"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{", "message_malformed", "the end"),
        ('{"messages": [}', "message_malformed", "byte 14"),
        ("[]", "message_malformed", "not a JSON object"),
        ("{}", "invalid_request", "`messages` is missing"),
        ('{"type": "hello"}', "invalid_request", "`messages` is missing"),
        ('{"messages": []}', "invalid_request", "is empty"),
        ('{"op": "ping"}', "invalid_request", "/api/ws"),
        (
            '{"messages": [{"role": "user", "content": "x"}], "idempotency_key": 3}',
            "invalid_request",
            "`idempotency_key`",
        ),
        (
            '{"messages": [{"role": "user", "content": "x"}], "model": "nobody"}',
            "model_not_found",
            "nobody",
        ),
    ],
)
async def test_a_bad_message_is_refused_and_the_socket_goes_on(
    text: str, code: str, words: str
) -> None:
    async with open_house() as house, open_socket(house.app, "/ws") as client:
        client.send_text(text)
        refusal = await client.receive()
        client.send(ASKED)

        assert (refusal["type"], refusal["code"]) == ("error", code)
        assert words in refusal["message"]
        assert await whole_answer(client) == WHOLE


async def test_binary_is_no_message() -> None:
    async with open_house() as house, open_socket(house.app, "/ws") as client:
        client.send_bytes(b"{}")

        with pytest.raises(Closed) as closed:
            await client.receive()
        assert closed.value.code == 1003


async def test_an_answer_nobody_can_come_back_to_is_stopped_after_its_grace() -> None:
    gate = Gate()
    settings = RunSettings(disconnect_grace_seconds=0.05)
    async with open_house((BEGIN, gate, REST), settings=settings) as house:
        async with open_socket(house.app, "/ws") as client:
            client.send(ASKED)
            await gate.until_waited_for()
        records, _ = await house.services.runs.list_runs(
            principal="local", cursor=None, status=None, items_max=1
        )
        # Not as a reader of the run, for a reader would keep it.
        page = await house.log.read(records[0].run, after=START, events_max=100)
        while not page.ended:
            await house.log.wait_beyond(records[0].run, page.tail, seconds=1)
            page = await house.log.read(records[0].run, after=START, events_max=100)

        assert isinstance(page.events[-1].event, RunEnd)
        assert page.events[-1].event.code == "disconnected"
        assert house.model.closed == 1


@pytest.mark.parametrize("more", [{"on_disconnect": "keep"}, {"idempotency_key": "k"}])
async def test_an_answer_that_is_kept_goes_on_without_its_socket(more: dict[str, str]) -> None:
    gate = Gate()
    settings = RunSettings(disconnect_grace_seconds=0.05)
    async with open_house((BEGIN, gate, REST), settings=settings) as house:
        async with open_socket(house.app, "/ws") as client:
            client.send({**ASKED, **more})
            await gate.until_waited_for()
        gate.open()
        records, _ = await house.services.runs.list_runs(
            principal="local", cursor=None, status=None, items_max=1
        )

        assert (await house.services.runs.settle(records[0])).outcome == "finished"


async def test_the_same_key_on_another_socket_reads_the_same_answer_from_its_start() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house:
        async with open_socket(house.app, "/ws") as client:
            client.send({**ASKED, "idempotency_key": "k"})
            await client.receive()
        gate.open()
        async with open_socket(house.app, "/ws") as client:
            client.send({**ASKED, "idempotency_key": "k"})

            assert await whole_answer(client) == WHOLE
        assert len(house.model.requests) == 1


async def test_a_server_that_goes_down_sends_its_sockets_to_come_back() -> None:
    gate = Gate()
    async with open_house((BEGIN, gate, REST)) as house, open_socket(house.app, "/ws") as client:
        client.send(ASKED)
        await client.receive()
        await gate.until_waited_for()

        house.services.runs.drain()

        with pytest.raises(Closed) as closed:
            await client.receive()
        assert closed.value.code == 1012


async def test_eight_tabs_with_a_socket_each_are_all_answered() -> None:
    async with open_house() as house:

        async def tab() -> Any:
            async with open_socket(house.app, "/ws") as client:
                client.send(ASKED)
                return await whole_answer(client)

        assert await asyncio.gather(*(tab() for _ in range(8))) == [WHOLE] * 8
