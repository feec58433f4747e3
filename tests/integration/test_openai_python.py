"""openai-python's own ways of asking, on the demo model and through a server that is not ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from openai.lib.responses_tool_runner import (
    AsyncRegisteredFunction,
    AsyncResponsesToolRunner,
    RegisteredFunction,
    ResponsesToolRunner,
)
from openai.lib.streaming.chat import ContentDeltaEvent, FunctionToolCallArgumentsDoneEvent
from openai.types.chat import ChatCompletionMessageFunctionToolCall
from pydantic import BaseModel

from tests.integration.clients import (
    COUNT,
    EXPLAIN,
    TOO_MUCH,
    TRIP,
    UNFIT,
    WEATHER,
    WEATHER_AND_TIME,
    Target,
)

PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Trip(BaseModel):
    city: str
    days: int


class GetWeather(BaseModel):
    """The weather in a city."""

    city: str


def function(name: str) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": PLACE, "strict": True}}


def flat_function(name: str) -> Any:
    return {"type": "function", "name": name, "parameters": PLACE, "strict": True}


def asked(question: str) -> Any:
    return [{"role": "user", "content": question}]


@pytest.fixture
def client(target: Target) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=target.base_url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
async def later(target: Target) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=target.base_url, api_key="none", max_retries=0
    ) as client:
        yield client


def test_an_answer_comes_whole_and_as_a_stream(client: openai.OpenAI, target: Target) -> None:
    chat = client.chat.completions
    whole = chat.create(model=target.model, messages=asked(EXPLAIN))
    chunks = list(
        chat.create(
            model=target.model,
            messages=asked(EXPLAIN),
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert len(chunks) > 3
    assert "".join(pieces) == whole.choices[0].message.content
    assert "Potok" in "".join(pieces)
    assert whole.usage is not None
    assert chunks[-1].usage == whole.usage


async def test_the_async_client_reads_the_same(later: openai.AsyncOpenAI, target: Target) -> None:
    chat = later.chat.completions
    whole = await chat.create(model=target.model, messages=asked(EXPLAIN))
    stream = await chat.create(model=target.model, messages=asked(EXPLAIN), stream=True)
    pieces = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]

    assert "".join(pieces) == whole.choices[0].message.content


def test_the_clients_own_stream_tells_words_calls_and_the_whole(
    client: openai.OpenAI, target: Target
) -> None:
    with client.chat.completions.stream(model=target.model, messages=asked(EXPLAIN)) as stream:
        said = [event for event in stream if isinstance(event, ContentDeltaEvent)]
        whole = stream.get_final_completion()
    tools = [function("get_weather"), function("get_time")]
    with client.chat.completions.stream(
        model=target.model, messages=asked(WEATHER_AND_TIME), tools=tools
    ) as calling:
        calls = [one for one in calling if isinstance(one, FunctionToolCallArgumentsDoneEvent)]
        called = calling.get_final_completion().choices[0]

    assert whole.choices[0].message.content == said[-1].snapshot
    assert [(call.index, call.name) for call in calls] == [(0, "get_weather"), (1, "get_time")]
    assert [call.parsed_arguments for call in calls] == [{"city": "Perm"}] * 2
    assert called.finish_reason == "tool_calls"


def test_classes_are_filled_as_a_whole_answer_and_as_a_stream(
    client: openai.OpenAI, target: Target
) -> None:
    chat = client.chat.completions
    parsed = chat.parse(model=target.model, messages=asked(TRIP), response_format=Trip)
    with chat.stream(model=target.model, messages=asked(TRIP), response_format=Trip) as stream:
        streamed = stream.get_final_completion()
    response = client.responses.parse(model=target.model, input=TRIP, text_format=Trip)

    trip = Trip(city="Perm", days=3)
    assert parsed.choices[0].message.parsed == trip
    assert streamed.choices[0].message.parsed == trip
    assert response.output_parsed == trip


async def test_a_loop_of_tools_ends_with_their_result(
    later: openai.AsyncOpenAI, target: Target
) -> None:
    messages = asked(WEATHER)
    tools = [openai.pydantic_function_tool(GetWeather, name="get_weather")]
    steps: list[Any] = []
    while not steps or steps[-1].finish_reason == "tool_calls":
        answer = await later.chat.completions.parse(
            model=target.model, messages=messages, tools=tools
        )
        choice = answer.choices[0]
        messages.append(choice.message.model_dump(exclude_none=True))
        for call in choice.message.tool_calls or []:
            assert isinstance(call, ChatCompletionMessageFunctionToolCall)
            assert call.function.parsed_arguments == GetWeather(city="Perm")
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        steps.append(choice)

    assert [step.finish_reason for step in steps] == ["tool_calls", "stop"]
    assert "sunny" in (steps[-1].message.content or "")


@pytest.mark.parametrize("is_streamed", [False, True])
def test_the_tool_runner_of_responses_calls_and_answers(
    client: openai.OpenAI, target: Target, is_streamed: bool
) -> None:
    called: list[Any] = []

    def get_weather(arguments: dict[str, object]) -> str:
        called.append(arguments)
        return "sunny"

    runner = ResponsesToolRunner(
        functions=[RegisteredFunction(flat_function("get_weather"), get_weather)]
    )
    response = runner.run(
        client, {"model": target.model, "input": WEATHER}, max_steps=4, stream=is_streamed
    )

    assert called == [{"city": "Perm"}]
    assert "sunny" in response.output_text


async def test_the_async_tool_runner_calls_and_answers(
    later: openai.AsyncOpenAI, target: Target
) -> None:
    async def get_weather(arguments: dict[str, object]) -> str:
        return f"sunny in {arguments['city']}"

    runner = AsyncResponsesToolRunner(
        functions=[AsyncRegisteredFunction(flat_function("get_weather"), get_weather)]
    )
    response = await runner.run(later, {"model": target.model, "input": WEATHER}, max_steps=4)

    assert "sunny" in response.output_text


async def test_a_response_is_streamed_left_and_read_on(
    later: openai.AsyncOpenAI, target: Target
) -> None:
    stream = await later.responses.create(
        model=target.model, input=COUNT, stream=True, background=True
    )
    events: list[Any] = []
    async for event in stream:
        events.append(event)
        if len(events) == 8:
            break
    await stream.close()
    response = events[0].response.id
    last = events[-1].sequence_number
    rest = await later.responses.retrieve(response, stream=True, starting_after=last)
    events += [event async for event in rest]
    async with later.responses.stream(response_id=response) as again:
        replay = await again.get_final_response()

    told = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(told) == replay.output_text
    assert "299, 300" in replay.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_a_background_response_is_polled_and_another_one_cancelled(
    later: openai.AsyncOpenAI, target: Target
) -> None:
    wanted = await later.responses.create(model=target.model, input=EXPLAIN, background=True)
    unwanted = await later.responses.create(model=target.model, input=COUNT, background=True)
    cancelled = await later.responses.cancel(unwanted.id)
    while wanted.status in ("queued", "in_progress"):
        await asyncio.sleep(0.02)
        wanted = await later.responses.retrieve(wanted.id)

    assert wanted.status == "completed"
    assert "Potok" in wanted.output_text
    assert cancelled.status == "cancelled"
    assert "300" not in cancelled.output_text


def test_a_conversation_goes_on_by_the_last_response(client: openai.OpenAI, target: Target) -> None:
    tools = [flat_function("get_weather")]
    first = client.responses.create(model=target.model, input=WEATHER, tools=tools)
    call: Any = first.output[0]
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    second = client.responses.create(
        model=target.model, input=[output], previous_response_id=first.id, tools=tools
    )

    assert json.loads(call.arguments) == {"city": "Perm"}
    assert "sunny" in second.output_text


def test_embeddings_come_packed_and_plain(client: openai.OpenAI, target: Target) -> None:
    packed = client.embeddings.create(model=target.embedding_model, input="river")
    plain = client.embeddings.create(
        model=target.embedding_model, input="river", encoding_format="float"
    )

    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert any(packed.data[0].embedding)


def test_models_are_listed_and_shown(client: openai.OpenAI, target: Target) -> None:
    names = [model.id for model in client.models.list()]

    assert target.model in names
    assert client.models.retrieve(target.model).id == target.model


def test_a_mistake_is_an_exception_that_names_the_field(
    client: openai.OpenAI, target: Target
) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(model=target.model, messages=asked("?"), temperature=9)
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="nobody", messages=asked("?"))

    assert refusal.value.param == "temperature"
    assert unknown.value.code == "model_not_found"


def test_two_calls_with_one_key_are_one_answer(client: openai.OpenAI, target: Target) -> None:
    ids = {
        client.chat.completions.create(
            model=target.model,
            messages=asked(EXPLAIN),
            extra_headers={"Idempotency-Key": f"once-{target.model}"},
        ).id
        for _ in range(2)
    }

    assert len(ids) == 1


def test_what_a_provider_says_of_a_request_is_the_exception_that_it_raises(
    passing_target: Target,
) -> None:
    with openai.OpenAI(base_url=passing_target.base_url, api_key="none", max_retries=0) as client:
        chat = client.chat.completions
        with pytest.raises(openai.RateLimitError) as limited:
            chat.create(model=passing_target.model, messages=asked(TOO_MUCH))
        with pytest.raises(openai.BadRequestError) as unfit:
            chat.create(model=passing_target.model, messages=asked(UNFIT))
        with pytest.raises(openai.APIError) as streamed:
            list(chat.create(model=passing_target.model, messages=asked(UNFIT), stream=True))
        response = client.responses.create(model=passing_target.model, input=TOO_MUCH)

    assert limited.value.code == "upstream_limited"
    assert "max_tokens is too large" in unfit.value.message
    assert streamed.value.code == unfit.value.code == "upstream_rejected"
    assert response.error is not None
    assert response.error.code == "rate_limit_exceeded"
