import json
from typing import Any

import pytest

from potok.dialects.ai_sdk_ui_request import parse_ui_chat
from potok.errors import BodyTooLarge, RequestInvalid
from potok.limits import MESSAGE_BYTES_MAX


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "chat-1", "trigger": "submit-message", "messages": list(messages), **more}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": "u1", "role": "user", "parts": list(parts)}


def assistant(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": "a1", "role": "assistant", "parts": list(parts)}


def test_a_text_message_is_a_plain_one() -> None:
    request = parse_ui_chat(body(user(text("Hi"), text("there"))), language="ru")

    assert request.messages == ({"role": "user", "content": "Hi\nthere"},)
    assert request.chat == "chat-1"
    assert request.model is None
    assert request.message is None
    assert request.on_disconnect == "keep"
    assert request.face == "ai-sdk-ui"
    assert request.language == "ru"


def test_a_model_and_its_parameters_stand_beside_the_sdks_own_fields() -> None:
    wanted = body(user(text("Hi")), model="demo", temperature=0.5, userId="u-9", theme={"dark": 1})

    request = parse_ui_chat(wanted)

    assert request.model == "demo"
    assert request.parameters == {"temperature": 0.5}


def test_files_are_passed_on_as_a_model_takes_them() -> None:
    picture = {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA"}
    paper = {
        "type": "file",
        "mediaType": "application/pdf",
        "url": "data:application/pdf;base64,AA",
        "filename": "a.pdf",
    }

    request = parse_ui_chat(body(user(text("What is it?"), picture, paper)))

    assert request.messages[0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": paper["url"]}},
    ]


def test_what_only_people_see_is_not_sent_to_a_model() -> None:
    answer = assistant(
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm"},
        text("Hello"),
        {"type": "source-url", "sourceId": "s", "url": "https://example.com"},
        {"type": "data-stage", "data": {}},
    )

    request = parse_ui_chat(body(user(text("Hi")), answer, user(text("More"))))

    assert request.messages[1] == {"role": "assistant", "content": "Hello"}


def test_calls_with_results_become_calls_and_tool_messages_step_by_step() -> None:
    weather = {
        "type": "tool-weather",
        "toolCallId": "c1",
        "state": "output-available",
        "input": {"city": "Perm"},
        "output": {"sunny": True},
    }
    clock = {
        "type": "dynamic-tool",
        "toolName": "clock",
        "toolCallId": "c2",
        "state": "output-error",
        "errorText": "It stands still.",
    }
    answer = assistant(
        {"type": "step-start"}, text("Let me see."), weather, clock, {"type": "step-start"}
    )

    request = parse_ui_chat(body(user(text("Hi")), answer))

    _, call, first, second = request.messages
    assert call["content"] == "Let me see."
    assert [one["function"]["name"] for one in call["tool_calls"]] == ["weather", "clock"]
    assert json.loads(call["tool_calls"][0]["function"]["arguments"]) == {"city": "Perm"}
    assert json.loads(first["content"]) == {"sunny": True}
    assert first["tool_call_id"] == "c1"
    assert "It stands still." in second["content"]


def test_text_after_a_call_is_a_message_of_its_own() -> None:
    call = {
        "type": "tool-a",
        "toolCallId": "c1",
        "state": "output-available",
        "input": {},
        "output": "ok",
    }

    request = parse_ui_chat(body(user(text("Hi")), assistant(call, text("Done."))))

    roles = [message["role"] for message in request.messages]
    assert roles == ["user", "assistant", "tool", "assistant"]


def test_a_call_that_nobody_made_is_left_out() -> None:
    call = {"type": "tool-a", "toolCallId": "c1", "state": "input-available", "input": {}}

    request = parse_ui_chat(body(user(text("Hi")), assistant(text("Well"), call), user(text("?"))))

    assert request.messages[1] == {"role": "assistant", "content": "Well"}


def test_an_answer_that_stands_last_is_gone_on_with() -> None:
    request = parse_ui_chat(body(user(text("Hi")), assistant(text("Hel"))))

    assert request.message == "a1"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 300}, "id"),
        ({"trigger": "resume"}, "trigger"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "parts": []}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "messages[0].parts"),
        ({"messages": [{"role": "user", "parts": "Hi"}]}, "messages[0].parts"),
        ({"messages": [{"role": "user", "parts": ["Hi"]}]}, "messages[0].parts[0]"),
        ({"messages": [{"role": "user", "parts": []}]}, "messages"),
        (
            {"messages": [{"role": "user", "parts": [{"type": "text"}]}]},
            "messages[0].parts[0].text",
        ),
        (
            {
                "messages": [
                    user({"type": "file", "mediaType": "text/csv", "url": "https://a.example/b"})
                ]
            },
            "messages[0].parts[0].url",
        ),
        ({"model": 7}, "model"),
        ({"temperature": "hot"}, "temperature"),
        ({"n": 2}, "n"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_ui_chat({**body(user(text("Hi"))), **wrong})

    assert refusal.value.param == param


def test_a_message_over_its_limit_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        parse_ui_chat(body(user(text("x" * MESSAGE_BYTES_MAX))))
