"""The AI SDK's `generateText` and its kin, 6 and 7, over `@ai-sdk/openai-compatible`."""

import json

import pytest
import pytest_asyncio

from tests.integration.clients import QUESTIONS, Seen, Target
from tests.peers.node import NodePeer


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["6", "7"])
async def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["demo", "aimock"])
async def seen(request: pytest.FixtureRequest, ai_sdk: NodePeer, version: str) -> Seen:
    """Play all scenarios once; each test looks at one of them."""
    name = {"demo": "demo_target", "aimock": "passing_target"}[request.param]
    target: Target = request.getfixturevalue(name)
    wanted = {"model": target.model, "embeddingModel": target.embedding_model, **QUESTIONS}
    return Seen(await ai_sdk.run("core.mjs", version, target.url, json.dumps(wanted)))


def test_a_text_is_generated_and_streamed(seen: Seen) -> None:
    assert "Potok" in seen["text"]["text"]
    assert seen["stream"]["text"] == seen["text"]["text"]
    assert seen["stream"]["pieces"] > 3
    for told in (seen["text"], seen["stream"]):
        assert told["finishReason"] == "stop"
        assert told["tokens"] > 0


def test_a_tool_is_called_and_its_result_told(seen: Seen) -> None:
    assert seen["tools"]["steps"] == [[{"city": "Perm"}], []]
    assert "sunny" in seen["tools"]["text"]


def test_calls_of_several_tools_are_streamed(seen: Seen) -> None:
    place = {"city": "Perm"}

    assert seen["streamTools"]["calls"] == [["get_weather", place], ["get_time", place]]
    assert "sunny" in seen["streamTools"]["text"]


def test_objects_are_generated_and_streamed(seen: Seen) -> None:
    trip = {"city": "Perm", "days": 3}

    assert seen["object"] == [trip, trip]
    assert seen["output"] == trip


def test_an_abort_ends_the_stream(seen: Seen) -> None:
    assert "300" not in seen["abort"]["text"]
    assert seen["abort"]["last"] == "abort"


def test_a_text_is_embedded(seen: Seen) -> None:
    assert len(seen["embeddings"]) == 3


def test_a_mistake_is_an_error_with_its_status(seen: Seen) -> None:
    assert seen["mistake"]["name"] == "AI_APICallError"
    assert seen["mistake"]["status"] == 404
    assert "nobody" in seen["mistake"]["message"]
