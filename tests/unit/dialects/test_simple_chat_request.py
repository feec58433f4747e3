from typing import Any

import pytest

from potok.dialects.simple_chat_request import parse_simple_chat
from potok.errors import RequestInvalid
from potok.events.run_request import hash_of

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}


def test_messages_alone_are_enough() -> None:
    request = parse_simple_chat(ASKED)

    assert request.model is None
    assert request.messages == tuple(ASKED["messages"])
    assert request.on_disconnect == "cancel"
    assert request.language == "ru"
    assert request.face == "simple-chat"


def test_a_model_and_its_parameters_may_stand_beside_them() -> None:
    request = parse_simple_chat({**ASKED, "model": "demo", "temperature": 0.3, "x": 1})

    assert request.model == "demo"
    assert request.parameters == {"temperature": 0.3, "x": 1}


def test_a_fallback_from_stream_to_json_is_the_same_run() -> None:
    stream = parse_simple_chat({**ASKED, "stream": True}, streams=True)
    whole = parse_simple_chat({**ASKED, "on_disconnect": "keep"}, streams=False)

    assert hash_of(stream) == hash_of(whole)
    assert whole.on_disconnect == "keep"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({}, "messages", "is missing"),
        ({"messages": []}, "messages", "is empty"),
        ({"messages": "Hi"}, "messages", "an array"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "must be"),
        ({**ASKED, "model": ""}, "model", "name a model"),
        ({**ASKED, "n": 2}, "n", "/v1/chat/completions"),
        ({**ASKED, "on_disconnect": "stay"}, "on_disconnect", "keep or cancel"),
        ({**ASKED, "temperature": "hot"}, "temperature", "a number"),
        ({**ASKED, "trigger": "submit-message"}, "messages", "/api/ui/chat"),
        (
            {"messages": [{"role": "user", "parts": [{"type": "text", "text": "Hi"}]}]},
            "messages",
            "/api/ui/chat",
        ),
        ({**ASKED, "options": {"num_ctx": 1}}, "options", "/ollama/api"),
        ({**ASKED, "keep_alive": "5m"}, "keep_alive", "/ollama/api"),
        ({"agent": "coder", "input": {}}, "agent", "/api/runs"),
        ({"input": "Hi"}, "input", "/api/runs"),
        ({"op": "start", "run": {}}, "op", "/api/ws"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_simple_chat(body)

    assert refusal.value.param == param
    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("streams", "stream", "words"),
    [
        (False, True, "POST /api/chat/stream"),
        (True, False, "POST /api/chat."),
        (True, "yes", "true or false"),
    ],
)
def test_the_path_decides_whether_it_streams(streams: bool, stream: Any, words: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_simple_chat({**ASKED, "stream": stream}, streams=streams)

    assert refusal.value.param == "stream"
    assert words in refusal.value.message


def test_a_socket_always_streams() -> None:
    assert parse_simple_chat({**ASKED, "stream": False}).messages
