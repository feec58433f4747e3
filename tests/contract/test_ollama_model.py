"""The adapter for Ollama, over real HTTP, against the contract of chat models."""

from collections.abc import AsyncIterator

import pytest

from potok.clock import SystemClock, SystemIds
from potok.models.contract import ChatModel, ChatRequest
from potok.models.ollama import OllamaProvider
from potok.testing.chat_model_suite import ChatModelSuite
from potok.testing.upstream import Script, ScriptedUpstream

RUSSIAN = Script(thinking=("По", "думаю"), tokens=("При", "вет", ", ", "мир 🎉", "!"))
CUT_IN_LETTERS = Script(tokens=("Д", "а", "🎉"), write_bytes_max=3)


class TestOllamaModel(ChatModelSuite):
    requests = (
        ChatRequest(model="m", messages=({"role": "user", "content": "Hello!"},)),
        ChatRequest(model="m", messages=(), parameters={"temperature": 0}),
    )

    @pytest.fixture(params=[Script(), RUSSIAN, CUT_IN_LETTERS], ids=["plain", "russian", "cut"])
    async def model(self, request: pytest.FixtureRequest) -> AsyncIterator[ChatModel]:
        async with ScriptedUpstream(request.param) as upstream:
            provider = OllamaProvider(
                "test", upstream.ollama_url, clock=SystemClock(), ids=SystemIds()
            )
            yield provider.model("m")
            await provider.close()
