"""The translator over HTTP and as a command, on a model that is an upstream of ours."""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import running_server, upstream_of

pytestmark = pytest.mark.integration

TEXT = "# Hello\n\nSome words.\n\n```python\nprint('Hello')\n```\n\nThe end.\n"


def spanish() -> ScriptedUpstream:
    return ScriptedUpstream(
        Script(tokens=("# Hola", "\n\nUnas ", "palabras.")), Script(tokens=("El ", "fin."))
    )


def text_of(body: str) -> str:
    frames = [line[6:] for line in body.split("\n") if line.startswith("data: ")]
    assert frames[-1] == "[DONE]"
    return "".join(json.loads(frame)["content"] for frame in frames[:-1])


async def test_a_text_of_several_paragraphs_keeps_its_markdown_and_its_code(tmp_path: Path) -> None:
    async with (
        spanish() as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        body = {"text": TEXT, "target_language": "es", "model": "scripted-1"}
        reply = await client.post("/api/translate/stream", json=body)

        asked = [call.body for call in upstream.calls if call.body]

    assert text_of(reply.text) == (
        "# Hola\n\nUnas palabras.\n\n```python\nprint('Hello')\n```\n\nEl fin.\n"
    )
    assert [one["temperature"] for one in asked] == [0.3, 0.3]
    assert all("Spanish" in one["messages"][0]["content"] for one in asked)
    assert all("print(" not in one["messages"][1]["content"] for one in asked)


async def test_the_demo_model_says_that_it_cannot(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        reply = await client.post("/api/translate/stream", json={"text": TEXT})

    assert text_of(reply.text).startswith("I cannot translate.")
    assert text_of(reply.text).count("I cannot translate.") == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 200_001}, "text"),
        ({"text": "x", "target_language": 5}, "target_language"),
        ({"text": "x", "model": ""}, "model"),
    ],
)
async def test_a_wrong_field_is_named(tmp_path: Path, body: dict[str, object], param: str) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        reply = await client.post("/api/translate/stream", json=body)

    assert (reply.status_code, reply.json()["param"]) == (400, param)


async def test_the_command_prints_what_is_piped_in(tmp_path: Path) -> None:
    async with spanish() as upstream:
        environment = {
            **os.environ,
            **upstream_of(upstream),
            "POTOK_DATA_DIR": str(tmp_path),
            "POTOK_PORT": "1",
            "POTOK_UPSTREAM_DISCOVERY": "off",
        }
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "potok", "translate", "--to", "es", "--model", "scripted-1"),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await command.communicate(TEXT.encode())

    assert command.returncode == 0
    assert printed.decode() == (
        "# Hola\n\nUnas palabras.\n\n```python\nprint('Hello')\n```\n\nEl fin.\n"
    )
