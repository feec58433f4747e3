"""JSON from a model that its provider holds to nothing: by every face, and through a kill."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, events_of, running_server, upstream_of, whole_run


class Person(BaseModel):
    name: str
    age: int


ASKED: Any = [{"role": "user", "content": "Who is Ada?"}]
FORM: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
        },
    },
}
GOOD = '{"name":"Ada","age":36}'
WRONG = Script(tokens=("Ada ", "is ", "36."))
FENCED = Script(tokens=("```json\n", *GOOD, "\n```"))
STALLED = Script(tokens=('{"name":', '"A'), then="stall")


def client_of(server: Server) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


async def test_the_official_client_fills_a_class_by_both_apis(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(WRONG, FENCED, FENCED, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
    ):
        chat = await client.chat.completions.parse(
            model="openai/m", messages=ASKED, response_format=Person
        )
        response = await client.responses.parse(
            model="openai/m", input="Who is Ada?", text_format=Person
        )
        asked = [call.body for call in upstream.calls]

    said = len(WRONG.tokens) + len(FENCED.tokens)
    assert chat.choices[0].message.parsed == Person(name="Ada", age=36)
    assert chat.usage is not None
    assert (chat.usage.prompt_tokens, chat.usage.completion_tokens) == (14, said)
    assert response.output_parsed == Person(name="Ada", age=36)
    assert len(asked) == 3
    assert not any("response_format" in body for body in asked)
    assert "not valid JSON" in asked[1]["messages"][-1]["content"]


async def test_a_stream_holds_only_what_fits_and_says_that_it_is_being_mended(
    tmp_path: Path,
) -> None:
    async with (
        ScriptedUpstream(WRONG, FENCED, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
        httpx.AsyncClient(base_url=server.url, timeout=30) as plain,
    ):
        stream = await client.chat.completions.create(
            model="openai/m",
            messages=ASKED,
            response_format=FORM,
            stream=True,
            extra_headers={"accept-language": "ru"},
        )
        chunks = [chunk async for chunk in stream]
        run = chunks[0].id.removeprefix("chatcmpl-")
        events = await whole_run(plain, run)

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    statuses = [json.loads(fields) for _, kind, fields in events if kind == "status"]
    assert text == GOOD
    assert [(one["code"], "JSON" in one["text"]) for one in statuses] == [("json_repair", True)]
    assert statuses[0]["text"].startswith("Ответ")


async def test_what_cannot_be_mended_is_an_error_in_the_shape_of_its_face(tmp_path: Path) -> None:
    body: Any = {"model": "openai/m", "messages": ASKED, "response_format": FORM}
    async with (
        ScriptedUpstream(WRONG, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        client_of(server) as client,
        httpx.AsyncClient(base_url=server.url, timeout=30) as plain,
    ):
        with pytest.raises(openai.APIStatusError) as refusal:
            await client.chat.completions.create(**body)
        stream: Any = await client.chat.completions.create(**body, stream=True)
        first = await anext(aiter(stream))
        with pytest.raises(openai.APIError) as cut:
            await anext(aiter(stream))
        response = await client.responses.create(
            model="openai/m",
            input="Who is Ada?",
            text={"format": {"type": "json_object"}},
        )
        started = await plain.post("/api/runs", json=body)
        await whole_run(plain, started.json()["id"])
        state = (await plain.get(f"/api/runs/{started.json()['id']}")).json()

    assert (refusal.value.status_code, refusal.value.code) == (502, "answer_unfit")
    assert refusal.value.response.headers["x-should-retry"] == "false"
    assert first.choices[0].delta.role == "assistant"
    assert cut.value.code == "answer_unfit"
    assert response.status == "failed"
    assert (state["status"], state["error"]["code"]) == ("failed", "answer_unfit")
    assert state["message"]["text"] == ""


async def test_an_answer_that_is_being_mended_survives_a_kill(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(WRONG, STALLED, FENCED, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        body = {"model": "openai/m", "messages": ASKED, "response_format": FORM}
        run = (await client.post("/api/runs", json=body)).json()["id"]
        async with asyncio.timeout(20):
            async for event in events_of(client, run):
                if event.event == "status":
                    break
            await upstream.until_call(2)
        await server.kill()
        await server.start()
        async with asyncio.timeout(30):
            events = await whole_run(client, run)
        state = (await client.get(f"/api/runs/{run}")).json()
        calls = len(upstream.calls)

    changes = [json.loads(fields) for _, kind, fields in events if kind == "source-change"]
    assert (state["status"], state["message"]["text"]) == ("finished", GOOD)
    assert [change["reason"] for change in changes][:1] == ["worker_lost"]
    assert calls == 3
    # What the first call used was told before the second one was made.
    assert state["usage"]["prompt_tokens"] == 14
