"""`llm` and curl, as people type them, through a server that is not ours.

On the demo model they run in `test_client_pages.py`.
"""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clients import COUNT, EXPLAIN, TRIP, WEATHER, Target

MODELS = """
- model_id: potok
  model_name: {model}
  api_base: {url}
  supports_schema: true
  supports_tools: true
- model_id: potok-responses
  model_name: {model}
  api_base: {url}
  responses: true
"""
GET_WEATHER = """
def get_weather(city: str) -> str:
    "The weather in a city"
    return f"sunny in {city}"
"""
SECONDS_MAX = 40


class Command:
    """A program that runs; `pieces` are what it printed, as it printed them."""

    def __init__(self, *command: str, **environment: str) -> None:
        self._command = command
        self._environment = {"PATH": os.environ["PATH"], **environment}
        self.pieces: list[bytes] = []

    async def run(self) -> str:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(SECONDS_MAX):
                while piece := await process.stdout.read(4096):
                    self.pieces.append(piece)
                complaints = await process.stderr.read()
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, complaints.decode()
        return b"".join(self.pieces).decode()


@pytest.fixture
def llm(tmp_path: Path, passing_target: Target) -> Any:
    """Make a command of `llm` whose models are ours alone."""
    models = MODELS.format(model=passing_target.model, url=passing_target.base_url)

    def command(*arguments: str) -> Command:
        # Two of them cannot make the same database at once.
        home = tmp_path / f"home-{len(list(tmp_path.iterdir()))}"
        home.mkdir()
        (home / "extra-openai-models.yaml").write_text(models)
        where = {"LLM_USER_PATH": str(home), "HOME": str(home)}
        return Command(sys.executable, "-m", "llm", *arguments, **where)

    return command


async def test_llm_shows_an_answer_as_it_comes(llm: Any) -> None:
    streaming = llm("-m", "potok", COUNT)

    printed, whole = await asyncio.gather(
        streaming.run(), llm("-m", "potok-responses", "--no-stream", EXPLAIN).run()
    )

    assert "299, 300" in printed
    assert len(streaming.pieces) > 3
    assert "Potok" in whole


async def test_llm_fills_a_schema_and_calls_a_function(llm: Any) -> None:
    filled, told = await asyncio.gather(
        llm("-m", "potok", "--schema", "city, days int", TRIP).run(),
        llm("-m", "potok", "--functions", GET_WEATHER, WEATHER).run(),
    )

    assert json.loads(filled) == {"city": "Perm", "days": 3}
    assert "sunny" in told


async def test_curl_shows_an_answer_as_it_comes(target: Target) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl here")
    messages = [{"role": "user", "content": COUNT}]
    body = json.dumps({"model": target.model, "stream": True, "messages": messages})
    headers = ("-H", "Content-Type: application/json")
    command = Command(curl, "-sN", f"{target.base_url}/chat/completions", *headers, "-d", body)

    printed = await command.run()

    frames = [line[6:] for line in printed.splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for frame in frames for choice in json.loads(frame)["choices"]]
    assert "299, 300" in "".join(delta.get("content") or "" for delta in deltas)
    assert "data: [DONE]" in printed
    assert len(command.pieces) > 3
