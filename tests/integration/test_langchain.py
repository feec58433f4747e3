"""LangChain's own test suites for chat models, with `ChatOpenAI` pointed at a real server."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from tests.integration.harness import Server, running_server
from tests.integration.lasting import lasting
from tests.integration.peers import Aimock, installed_peers, running_aimock

pytestmark = [
    # ChatOpenAI keeps one connection pool for all of its objects, so all tests need one loop.
    pytest.mark.asyncio(loop_scope="module"),
    # The suite has tests without a loop, too, and no test for which its benchmark is measured.
    pytest.mark.filterwarnings("ignore:The test .* is marked with:pytest.PytestWarning"),
    pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"),
    # LangChain's own.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
]

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JOKE = '{"setup": "Why do cats sit on keyboards?", "punchline": "To catch the mouse."}'


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"toolCalls": [{"name": name, "arguments": arguments}]}


# What a model would say to the questions of the suite.
ANSWERS: list[dict[str, Any]] = [
    {"match": {"hasToolResult": True}, "response": {"content": "It is 3, and it is sunny."}},
    {
        "match": {"toolName": "Joke"},
        "response": call("Joke", setup="Why?", punchline="That is why."),
    },
    {
        "match": {"toolName": "greeting_generator"},
        "response": call("greeting_generator", answer_style="Pirate"),
    },
    {"match": {"userMessage": "a joke about cats"}, "response": {"content": JOKE}},
    {"match": {"userMessage": "setup to a joke"}, "response": {"content": JOKE}},
    {
        "match": {"userMessage": "magic_function(3)"},
        "response": call("magic_function", input=3),
    },
    {
        "match": {"userMessage": "magic_function_no_args()"},
        "response": call("magic_function_no_args"),
    },
    {
        "match": {"userMessage": "Hello!", "toolName": "magic_function"},
        "response": call("magic_function", input=1),
    },
    {"match": {"userMessage": "weather"}, "response": call("get_weather", location="SF")},
    {
        "match": {"userMessage": "你好啊集团"},
        "response": call("unicode_customer", customer_name="你好啊集团", description="技术"),
    },
    {
        "match": {"userMessage": "こんにちは"},
        "response": call("unicode_customer", customer_name="こんにちは", description="会社"),
    },
    {"match": {}, "response": {"content": "Hello! Ça va? 🙂"}, "chunkSize": 3},
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("langchain")
    with lasting(lambda: running_server(folder, POTOK_DEMO_TOKENS_PER_SECOND="0")) as server:
        yield server


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    peers, folder = installed_peers(), tmp_path_factory.mktemp("aimock")
    with lasting(lambda: running_aimock(folder, ANSWERS, peers=peers)) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory, aimock: Aimock) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("langchain-upstream")
    where = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{aimock.url}/v1"}
    with lasting(lambda: running_server(folder, **where)) as server:
        yield server


@pytest.fixture(autouse=True)
def pictures_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the suite a picture of our own wherever it would download one."""
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, content=DOT))
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "potok-tests")


@pytest.fixture
def benchmark(benchmark: Any) -> Any:
    """Run what the suite would measure, once; its tables would hide what failed."""
    benchmark.disabled = True
    return benchmark


@pytest.fixture(scope="module")
def record_mode() -> str:
    """Talk to the server in the one test that may be answered from a recording."""
    return "all"


@pytest.fixture
def vcr_cassette_dir(tmp_path: Path) -> str:
    return str(tmp_path)


class _EverythingOn(ChatModelIntegrationTests):
    """What both servers share: no test of the suite that may be left out is."""

    url: str

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # For OpenAI's own address `stream_usage` is the default.
        where = {"base_url": f"{self.url}/v1", "api_key": "none", "stream_usage": True}
        return {"model": self.model_name, "use_responses_api": self.uses_responses, **where}

    model_name = "demo"
    uses_responses = False

    @property
    def model_override_value(self) -> str:
        return self.model_name

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def enable_vcr_tests(self) -> bool:
        return True


class TestDemoModel(_EverythingOn):
    """The demo model: it looks at no picture, sound or document, and breaks on none."""

    @pytest.fixture(autouse=True)
    def _address(self, demo: Server) -> None:
        type(self).url = demo.url


class TestPassedOn(_EverythingOn):
    """A server that is not ours, reached through this one."""

    model_name = "gpt-4o"

    @pytest.fixture(autouse=True)
    def _address(self, passing: Server) -> None:
        type(self).url = passing.url


class TestDemoModelByResponses(TestDemoModel):
    """The same by Responses."""

    uses_responses = True


class TestPassedOnByResponses(TestPassedOn):
    """The same by Responses."""

    uses_responses = True


async def test_what_the_suite_showed_was_passed_on(passing: Server, aimock: Aimock) -> None:
    """The server that is not ours saw the kinds of content that the suite sends."""
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf,"}},
    ]
    message = {"role": "user", "content": parts}
    async with httpx.AsyncClient(base_url=passing.url) as client:
        await client.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": [message]})

    assert (await aimock.requests())[-1]["messages"] == [message]


class TestWithoutServer(ChatModelUnitTests):
    """LangChain's tests of the class alone, with our settings."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "demo", "base_url": "http://127.0.0.1:9/v1", "api_key": "none"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        address = "http://127.0.0.1:9/v1"
        return (
            {"OPENAI_API_KEY": "none", "OPENAI_API_BASE": address},
            {"model": "demo"},
            {"openai_api_base": address},
        )

    @pytest.mark.xfail(reason="It compares the class with a recording of its own earlier version.")
    def test_serdes(self, model: BaseChatModel, snapshot: Any) -> None:
        super().test_serdes(model, snapshot)
