"""openai-node, versions 6 and 7, on the demo model and through a server that is not ours."""

import json

import pytest
import pytest_asyncio

from tests.integration.clients import QUESTIONS, Seen, Target
from tests.peers.node import NodePeer


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["openai6", "openai7"])
async def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["demo", "aimock"])
async def seen(request: pytest.FixtureRequest, openai_node: NodePeer, version: str) -> Seen:
    """Play all scenarios once; each test looks at one of them."""
    name = {"demo": "demo_target", "aimock": "passing_target"}[request.param]
    target: Target = request.getfixturevalue(name)
    wanted = {"model": target.model, "embeddingModel": target.embedding_model, **QUESTIONS}
    return Seen(await openai_node.run("session.mjs", version, target.url, json.dumps(wanted)))


def test_an_answer_comes_whole_and_as_a_stream(seen: Seen) -> None:
    assert "Potok" in seen["whole"]["text"]
    assert seen["stream"]["text"] == seen["whole"]["text"]
    assert seen["stream"]["usage"] == seen["whole"]["usage"] != {}
    assert seen["stream"]["chunks"] > 3


def test_the_clients_own_stream_tells_words_and_the_whole(seen: Seen) -> None:
    assert seen["helper"]["deltas"] == seen["helper"]["text"] == seen["whole"]["text"]
    assert seen["helper"]["finish"] == "stop"


def test_calls_of_several_tools_are_put_together(seen: Seen) -> None:
    calls = [(one["name"], json.loads(one["arguments"])) for one in seen["parallel"]["calls"]]

    assert calls == [("get_weather", {"city": "Perm"}), ("get_time", {"city": "Perm"})]
    assert seen["parallel"]["finish"] == "tool_calls"


def test_schemas_are_filled(seen: Seen) -> None:
    trip = {"city": "Perm", "days": 3}

    assert seen["parse"] == [trip, trip]
    assert seen["responseParse"] == trip


def test_run_tools_ends_with_their_result(seen: Seen) -> None:
    assert seen["runTools"]["called"] == ["Perm", "Perm"]
    assert all("sunny" in text for text in seen["runTools"]["texts"])


def test_the_tool_runner_of_responses_ends_with_their_result(seen: Seen) -> None:
    if "runner" not in seen:
        pytest.skip("version 6 has no such runner")
    assert all("sunny" in text for text in seen["runner"])


def test_responses_come_whole_and_as_a_stream(seen: Seen) -> None:
    response = seen["response"]

    assert "Potok" in response["text"]
    assert response["text"] == response["streamed"] == response["final"]


def test_a_response_with_tools_goes_on_by_its_id(seen: Seen) -> None:
    assert seen["responseTools"]["arguments"] == {"city": "Perm"}
    assert "sunny" in seen["responseTools"]["text"]


def test_a_reader_that_left_reads_on_after_its_last_event(seen: Seen) -> None:
    resume = seen["resume"]

    assert resume["numbers"] == list(range(len(resume["numbers"])))
    assert resume["text"] == resume["again"]
    assert "299, 300" in resume["text"]


def test_a_background_response_is_cancelled_and_deleted(seen: Seen) -> None:
    cancel = seen["cancel"]

    assert cancel["started"] in ("queued", "in_progress")
    assert (cancel["cancelled"], cancel["found"], cancel["gone"]) == ("cancelled", "cancelled", 404)


def test_an_abort_ends_the_stream_without_an_error(seen: Seen) -> None:
    assert "300" not in seen["abort"]["text"]


def test_embeddings_come_packed_and_plain(seen: Seen) -> None:
    packed, plain = seen["embeddings"]

    assert packed == pytest.approx(plain, abs=1e-6)
    assert len(packed) == 3


def test_models_are_listed_and_shown(seen: Seen) -> None:
    assert seen["models"]["one"] in seen["models"]["names"]


def test_a_mistake_is_an_error_that_names_the_field(seen: Seen) -> None:
    refused, unknown = seen["mistake"]

    assert (refused["name"], refused["param"]) == ("BadRequestError", "temperature")
    assert (unknown["name"], unknown["code"]) == ("NotFoundError", "model_not_found")
