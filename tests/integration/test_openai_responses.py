"""openai-python's Responses against a real server: stream, leave, resume, stop, survive a kill."""

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, running_server, upstream_of

PROMPT = "Tell me in detail what Potok is"
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def client_of(server: Server) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


async def read(stream: Any, *, count: int = 10**9) -> list[Any]:
    """Read at most so many events, each valid by the client's own types."""
    events: list[Any] = []
    async for event in stream:
        EVENT.validate_python(event.model_dump(), strict=True)
        events.append(event)
        if len(events) == count:
            break
    await stream.close()
    return events


def text_in(events: list[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


async def test_a_stream_that_was_left_goes_on_after_its_last_event(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="200") as server,
        client_of(server) as client,
    ):
        stream = await client.responses.create(
            model="demo", input=PROMPT, stream=True, background=True
        )
        before = await read(stream, count=12)
        response = before[0].response.id
        rest = await read(
            await client.responses.retrieve(
                response, stream=True, starting_after=before[-1].sequence_number
            )
        )
        replay = await read(await client.responses.retrieve(response, stream=True))
        whole = await client.responses.retrieve(response)
        beyond = await read(
            await client.responses.retrieve(
                response, stream=True, starting_after=rest[-1].sequence_number
            )
        )

    both = before + rest
    assert [event.sequence_number for event in both] == list(range(len(both)))
    assert [event.model_dump() for event in both] == [event.model_dump() for event in replay]
    assert text_in(both) == whole.output_text != ""
    assert whole.status == "completed"
    assert beyond == []


async def test_the_clients_own_stream_reads_to_its_response(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        client_of(server) as client,
    ):
        async with client.responses.stream(model="demo", input=PROMPT) as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        async with client.responses.stream(response_id=final.id, starting_after=4) as again:
            rest = [event async for event in again]

    assert final.output_text
    assert events[-1].type == "response.completed"
    assert rest[-1].type == "response.completed"
    assert all(event.sequence_number > 4 for event in rest)


async def test_a_background_response_is_asked_for_until_it_is_there(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        client_of(server) as client,
    ):
        response = await client.responses.create(model="demo", input=PROMPT, background=True)
        while response.status in ("queued", "in_progress"):
            await asyncio.sleep(0.05)
            response = await client.responses.retrieve(response.id)
        items = await client.responses.input_items.list(response.id)
        await client.responses.delete(response.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)

    assert response.status == "completed"
    assert response.usage is not None
    assert response.background is True
    assert items.data[0].type == "message"


async def test_a_cancelled_response_closes_its_upstream_and_keeps_its_text(tmp_path: Path) -> None:
    slow = Script(tokens=("so ", "far"), then="stall")
    async with (
        ScriptedUpstream(slow, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
    ):
        stream = await client.responses.create(model="openai/m", input="?", stream=True)
        events: list[Any] = []
        async for event in stream:
            events.append(event)
            if text_in(events) == "so far":
                break
        response = await client.responses.cancel(events[0].response.id)
        rest: list[Any] = [event async for event in stream]
        call = await upstream.until_call(1)

    assert response.status == "cancelled"
    assert response.output_text == "so far"
    assert rest[-1].type == "response.incomplete"
    assert call.closed_by_client.is_set()


async def test_functions_are_called_and_answered(tmp_path: Path) -> None:
    calling = Script(
        pieces=(
            b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
            b'[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function",'
            b'"function":{"name":"weather","arguments":"{\\"city\\": \\"Perm\\"}"}}]},'
            b'"finish_reason":null}]}\n\n',
            b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
            b'[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n',
        )
    )
    tool: Any = {
        "type": "function",
        "name": "weather",
        "parameters": {"type": "object"},
        "strict": False,
    }
    async with (
        ScriptedUpstream(calling, Script(tokens=("Sunny.",)), models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
    ):
        first = await client.responses.create(model="openai/m", input="Weather?", tools=[tool])
        call: Any = first.output[0]
        output: Any = {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": "sunny",
        }
        second = await client.responses.create(
            model="openai/m", input=[output], previous_response_id=first.id, tools=[tool]
        )
        asked = upstream.calls

    assert (call.type, call.name, call.arguments) == (
        "function_call",
        "weather",
        '{"city": "Perm"}',
    )
    assert second.output_text == "Sunny."
    assert asked[0].body["tools"][0]["function"]["name"] == "weather"
    roles = [message["role"] for message in asked[1].body["messages"]]
    assert roles == ["user", "assistant", "tool"]


async def test_numbers_are_the_same_after_the_server_was_killed(tmp_path: Path) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="100") as server:
        async with client_of(server) as client:
            stream = await client.responses.create(model="demo", input=PROMPT, stream=True)
            before = await read(stream, count=20)
            await server.kill()
        await server.start()
        async with client_of(server) as client:
            response = before[0].response.id
            rest = await read(
                await client.responses.retrieve(
                    response, stream=True, starting_after=before[-1].sequence_number
                )
            )
            whole = await client.responses.retrieve(response)

    both = before + rest
    assert [event.sequence_number for event in both] == list(range(len(both)))
    assert text_in(both) == whole.output_text
    assert whole.status == "completed"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"model": "nobody"}, openai.NotFoundError),
        ({"input": []}, openai.BadRequestError),
        ({"previous_response_id": "resp_none"}, openai.BadRequestError),
        ({"tools": [{"type": "web_search"}]}, openai.BadRequestError),
    ],
)
async def test_a_refusal_is_raised_with_its_code(
    tmp_path: Path, wrong: dict[str, Any], error: type[openai.APIStatusError]
) -> None:
    async with running_server(tmp_path) as server, client_of(server) as client:
        with pytest.raises(error) as refusal:
            await client.responses.create(**{"model": "demo", "input": "?", **wrong})

    assert refusal.value.code
