"""The demo model against the contract of chat models."""

import pytest

from potok.events.run_request import JsonObject
from potok.models.contract import ChatModel, ChatRequest
from potok.models.demo import DemoProvider
from potok.testing.chat_model_suite import ChatModelSuite
from potok.testing.fakes import FakeClock


def asking(text: str, **parameters: object) -> ChatRequest:
    messages: tuple[JsonObject, ...] = ({"role": "user", "content": text},)
    return ChatRequest(model="demo", messages=messages, parameters=dict(parameters))


class TestDemoModel(ChatModelSuite):
    requests = (
        asking("Hello!"),
        asking("Think step by step: how do I resume a stream?"),
        asking("Подумай: как отменить запуск?"),
        asking("Посчитай до 20"),
        asking("Repeat after me: 👩‍👩‍👧 naïve\n\n  日本語 e\u0301", reasoning_effort="low"),
        asking("count to 50", max_tokens=7),
        asking("Think carefully: what is Potok?", max_tokens=7),
        asking("count to 50", stop="1"),
    )

    @pytest.fixture
    def model(self) -> ChatModel:
        return DemoProvider(FakeClock(), tokens_per_second=0).model("demo")
