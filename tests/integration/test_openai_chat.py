"""openai-python's Chat Completions and embeddings against a real server and the demo model."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, running_server, upstream_of

QUESTION: Any = [{"role": "user", "content": "What is the weather in Perm for 3 days?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Trip(BaseModel):
    city: str
    days: int


def client_of(server: Server) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


async def test_the_demo_model_fills_a_class_calls_a_tool_and_tells_its_result(
    tmp_path: Path,
) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        client_of(server) as client,
    ):
        chat = client.chat.completions
        parsed = await chat.parse(model="demo", messages=QUESTION, response_format=Trip)
        async with chat.stream(model="demo", messages=QUESTION, tools=[WEATHER]) as stream:
            async for _ in stream:
                continue
            called: Any = (await stream.get_final_completion()).choices[0]
        call = called.message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        asked = [*QUESTION, called.message.model_dump(exclude_none=True), result]
        told = await chat.create(model="demo", messages=asked, tools=[WEATHER])

    assert parsed.choices[0].message.parsed == Trip(city="Perm", days=3)
    assert called.finish_reason == "tool_calls"
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"Perm"}')
    assert told.choices[0].message.content == "`get_weather`: sunny"


async def test_choices_usage_and_log_probabilities_come_when_they_are_asked_for(
    tmp_path: Path,
) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        client_of(server) as client,
    ):
        stream = await client.chat.completions.create(
            model="demo",
            messages=[{"role": "user", "content": "Say: one two three four"}],
            n=2,
            stop=["three"],
            logprobs=True,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]

    choices = [choice for chunk in chunks for choice in chunk.choices]
    texts = [
        "".join(choice.delta.content or "" for choice in choices if choice.index == index)
        for index in (0, 1)
    ]
    tokens = [
        token for choice in choices if choice.logprobs for token in choice.logprobs.content or []
    ]
    assert texts == ["one two ", "one two "]
    assert "".join(token.token for token in tokens) == "".join(texts)
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


async def test_a_whole_answer_holds_the_log_probabilities_of_each_choice(tmp_path: Path) -> None:
    reply = (Path(__file__).parents[1] / "recorded" / "openai" / "two-choices.chunks").read_bytes()
    async with (
        ScriptedUpstream(Script(pieces=(reply,)), models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
    ):
        answer = await client.chat.completions.create(
            model="openai/m", messages=QUESTION, n=2, logprobs=True
        )

    said = [choice.message.content for choice in answer.choices]
    tokens = [
        [token.token for token in (choice.logprobs and choice.logprobs.content) or []]
        for choice in answer.choices
    ]
    assert said == ["Да.", "Нет, никогда"]
    assert tokens == [["Да", "."], ["Нет", ",", " никогда"]]
    assert [choice.finish_reason for choice in answer.choices] == ["stop", "length"]


async def test_embeddings_are_made_by_the_demo_model_and_say_so(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, client_of(server) as client:
        # The client asks for base64 by itself and unpacks it.
        packed = await client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
        plain = await client.embeddings.create(model="demo", input="a", encoding_format="float")
        small = await client.embeddings.create(model="demo", input="a", dimensions=8)

    assert packed.model == "demo"
    assert [one.index for one in packed.data] == [0, 1]
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert len(plain.data[0].embedding) == 256
    assert len(small.data[0].embedding) == 8


async def test_embeddings_of_a_provider_are_passed_on(tmp_path: Path) -> None:
    # The scripted upstream knows no such path, as many servers for chats do not.
    async with (
        ScriptedUpstream(Script(), models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
    ):
        with pytest.raises(openai.APIStatusError) as refusal:
            await client.embeddings.create(model="openai/m", input="a")

    assert refusal.value.code == "upstream_refused"


NAMELESS_CALL = (
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":'
    b'{"arguments":"1"}}]},"finish_reason":"tool_calls"}]}\n\n'
)
CHAT: dict[str, Any] = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}


def said(**message: Any) -> dict[str, Any]:
    return {"messages": [message]}


BAD: list[tuple[dict[str, Any], str | None]] = [
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"model": 7}, "model"),
    ({"model": "nobody/none"}, "model"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": ["Hi"]}, "messages[0]"),
    (said(role="robot", content="Hi"), "messages[0].role"),
    (said(role="user"), "messages[0].content"),
    (said(role="user", content=7), "messages[0].content"),
    (said(role="user", content=[]), "messages[0].content"),
    (said(role="user", content=[{"text": "Hi"}]), "messages[0].content[0]"),
    (said(role="user", content=[{"type": "text"}]), "messages[0].content[0].text"),
    (
        said(role="user", content=[{"type": "image_url", "image_url": "x"}]),
        "messages[0].content[0].image_url.url",
    ),
    (said(role="tool", content="x"), "messages[0].tool_call_id"),
    (said(role="assistant", tool_calls=[{"id": 1}]), "messages[0].tool_calls[0]"),
    (said(role="user", content="x", name=7), "messages[0].name"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"stream": True, "stream_options": []}, "stream_options"),
    ({"temperature": 2.5}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"top_p": -1}, "top_p"),
    ({"n": 0}, "n"),
    ({"n": 1000}, "n"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
    ({"presence_penalty": 3}, "presence_penalty"),
    ({"frequency_penalty": "x"}, "frequency_penalty"),
    ({"stop": ["1", "2", "3", "4", "5"]}, "stop"),
    ({"stop": 7}, "stop"),
    ({"seed": "x"}, "seed"),
    ({"logprobs": 1}, "logprobs"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"logprobs": True, "top_logprobs": 99}, "top_logprobs"),
    ({"tools": {}}, "tools"),
    ({"tools": [{}]}, "tools[0]"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]},
        "tools[0].function.parameters",
    ),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tools": [WEATHER], "tool_choice": "sometimes"}, "tool_choice"),
    (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "none"}}},
        "tool_choice",
    ),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
    ({"response_format": "json"}, "response_format"),
    ({"response_format": {}}, "response_format"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        "response_format.json_schema.name",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
        "response_format.json_schema.schema",
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "objekt"}},
            }
        },
        "response_format.json_schema.schema",
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"$ref": "http://127.0.0.1:1/s.json"}},
            }
        },
        "response_format.json_schema.schema",
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": 7}}}]},
        "tools[0].function.parameters",
    ),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens"),
    ({"parallel_tool_calls": True}, "parallel_tool_calls"),
    ({"logit_bias": {"1": 1000}}, "logit_bias.1"),
    (
        {"messages": [*CHAT["messages"], {"role": "tool", "tool_call_id": "c", "content": "1"}]},
        "messages[1].tool_call_id",
    ),
    ({"logit_bias": []}, "logit_bias"),
    ({"metadata": "x"}, "metadata"),
    ({"user": 7}, "user"),
]


async def test_bad_input_is_refused_with_the_field_at_fault(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        answers = [
            (wrong, param, await client.post("/v1/chat/completions", json={**CHAT, **wrong}))
            for wrong, param in BAD
        ]

    assert len(BAD) >= 25
    for wrong, param, reply in answers:
        assert reply.status_code in (400, 404), (wrong, reply.text)
        error = reply.json()["error"]
        assert error["type"] == "invalid_request_error", wrong
        assert error["param"] == param, wrong
        assert error["message"], wrong
        assert error["code"] in ("invalid_request", "model_not_found"), wrong


NONSENSE: dict[str, tuple[Script, str]] = {
    "page": (Script(pieces=(b"<!doctype html><title>Hi</title>",)), "upstream_malformed"),
    "half": (Script(then="malformed"), "upstream_malformed"),
    "nothing": (Script(pieces=(b"\n",)), "upstream_lost"),
    "endless": (Script(then="end"), "upstream_lost"),
    "types": (Script(pieces=(b'data: {"choices": {"a": 1}}\n\n',)), "upstream_malformed"),
    "error": (Script(then="error"), "upstream_refused"),
    "teapot": (Script(status=418, body=b"short and stout"), "upstream_refused"),
    "list": (Script(pieces=(b'data: ["no", "object"]\n\n',)), "upstream_malformed"),
    "nameless": (Script(pieces=(NAMELESS_CALL,)), "upstream_malformed"),
}


async def test_an_upstream_that_answers_nonsense_is_never_our_own_mistake(tmp_path: Path) -> None:
    said: Any = {"messages": [{"role": "user", "content": "Hi"}]}

    async def ask(client: httpx.AsyncClient, name: str, code: str) -> None:
        chat, model = "/v1/chat/completions", f"{name}/m"
        whole = await client.post(chat, json={**said, "model": model})
        stream = await client.post(chat, json={**said, "model": model, "stream": True})
        response = await client.post("/v1/responses", json={"model": model, "input": "Hi"})

        error = whole.json()["error"]
        assert (whole.status_code, error["code"]) == (502, code), name
        assert error["type"] == "server_error", name
        assert error["message"], name
        assert f'"code":"{code}"' in stream.text, name
        assert "[DONE]" not in stream.text, name
        told = response.json()
        assert (told["status"], told["error"]["reason"]) == ("failed", code), name

    async with AsyncExitStack() as stack:
        upstreams = {
            name: await stack.enter_async_context(ScriptedUpstream(script, models=("m",)))
            for name, (script, _) in NONSENSE.items()
        }
        config = tmp_path / "potok.toml"
        config.write_text(
            "".join(
                f'[providers.{name}]\nbase_url = "{one.base_url}"\n[models."{name}/m"]\n'
                'policy = "fail"\n'
                for name, one in upstreams.items()
            )
        )
        server = await stack.enter_async_context(
            running_server(tmp_path / "data", POTOK_CONFIG=str(config))
        )
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=30))
        await asyncio.gather(*(ask(client, name, code) for name, (_, code) in NONSENSE.items()))


UNREADABLE = {
    "cut": (b"{", "application/json", 400),
    "array": (b"[]", "application/json", 400),
    "nan": (b'{"model": NaN}', "application/json", 400),
    "utf-16": (b"\xff\xfe", "application/json", 400),
    "text": (b"{}", "text/plain", 415),
    "form": (b"model=demo", "application/x-www-form-urlencoded", 415),
    "deep": (b"[" * 100_000, "application/json", 400),
    "large": (b'{"x": "' + b"a" * (21 * 1024 * 1024) + b'"}', "application/json", 413),
}


async def test_a_body_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/embeddings"):
            for name, (body, kind, status) in UNREADABLE.items():
                reply = await client.post(path, content=body, headers={"content-type": kind})

                assert reply.status_code == status, (path, name)
                assert reply.json()["error"]["type"] == "invalid_request_error", (path, name)
