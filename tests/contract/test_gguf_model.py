"""Models in files against the contract of chat models: real llama.cpp, random weights."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from potok.clock import SystemClock, SystemIds
from potok.models.contract import ChatModel, ChatRequest
from potok.models.gguf.options import GgufOptions
from potok.models.gguf.process import is_installed
from potok.models.gguf.provider import GgufProvider
from potok.testing.chat_model_suite import ChatModelSuite
from tests.tiny_gguf import build_tiny_gguf

pytestmark = pytest.mark.skipif(not is_installed(), reason="xllamacpp is not installed")

SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "x", "schema": {"const": "the same in any company"}},
}
TOOLS = [{"type": "function", "function": {"name": "now"}}]


def asking(text: str, **parameters: Any) -> ChatRequest:
    # Cold and alike: the suite compares answers that were given beside others.
    cold = {"temperature": 0, "seed": 7, "max_tokens": 6, **parameters}
    return ChatRequest(model="m", messages=({"role": "user", "content": text},), parameters=cold)


class TestGgufModel(ChatModelSuite):
    requests = (
        asking("Hello!"),
        asking("Привет! 🎉"),
        asking("x", response_format=SCHEMA, max_tokens=200),
        asking("x", tools=TOOLS, tool_choice="required", max_tokens=400),
    )

    @pytest.fixture
    async def model(self, tmp_path: Path) -> AsyncIterator[ChatModel]:
        build_tiny_gguf(tmp_path / "tiny.gguf")
        provider = GgufProvider(
            "gguf",
            tmp_path,
            serving=GgufOptions(context_tokens=2048, slots=2, threads=1),
            clock=SystemClock(),
            ids=SystemIds(),
        )
        await provider.list_models()
        yield provider.model("tiny")
        await provider.close()
