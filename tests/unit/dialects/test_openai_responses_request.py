from typing import Any

import pytest

from potok.dialects.openai_responses_request import parse_response_request, stored_of
from potok.errors import RequestInvalid

BODY: dict[str, Any] = {"model": "demo", "input": "Hello!"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}


def test_a_plain_text_is_one_message() -> None:
    parsed = parse_response_request(BODY)

    assert parsed.request.messages == ({"role": "user", "content": "Hello!"},)
    assert parsed.request.on_disconnect == "keep"
    assert parsed.request.face == "openai-responses"
    assert (parsed.stream, parsed.background, parsed.previous) == (False, False, None)


def test_items_become_the_messages_of_a_model() -> None:
    items = [
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:;base64,AA"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Let me see."}],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {
            "type": "function_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "2"}],
        },
    ]

    messages = parse_response_request({**BODY, "input": items}).request.messages

    assert [message["role"] for message in messages] == [
        "developer",
        "user",
        "assistant",
        "tool",
        "tool",
    ]
    assert messages[1]["content"][1] == {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,AA", "detail": "low"},
    }
    assert messages[1]["content"][2]["file"] == {
        "filename": "a.pdf",
        "file_data": "data:;base64,AA",
    }
    assert messages[2]["content"] == "Let me see."
    assert [call["id"] for call in messages[2]["tool_calls"]] == ["c1", "c2"]
    assert [message["content"] for message in messages[3:]] == ["1", "2"]


def test_parameters_get_the_names_of_chat_completions() -> None:
    asked = {
        **BODY,
        "instructions": "Be brief.",
        "max_output_tokens": 9,
        "temperature": 0.5,
        "reasoning": {"effort": "low"},
        "tools": [TOOL],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}},
        "top_logprobs": 2,
        "seed": 7,
        "metadata": {"a": "b"},
        "include": ["reasoning.encrypted_content"],
    }

    request = parse_response_request(asked).request

    assert request.messages[0] == {"role": "system", "content": "Be brief."}
    assert request.parameters == {
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "tools": [
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object"}, "strict": True},
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {}, "strict": True},
        },
        "logprobs": True,
        "top_logprobs": 2,
        "seed": 7,
    }
    stored = stored_of(request)
    assert stored is not None
    assert stored.asked["metadata"] == {"a": "b"}
    assert stored.asked["tools"] == [TOOL]
    assert "seed" not in stored.asked


def test_how_it_is_read_is_no_part_of_the_run() -> None:
    streamed = parse_response_request({**BODY, "stream": True})

    assert streamed.stream is True
    assert streamed.request == parse_response_request(BODY).request


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": None}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": ["Hi"]}, "input[0]"),
        ({"input": [{}]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": []}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, "input[0].content[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input[0].content[0].text",
        ),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [{"type": "reasoning"}]}, "input"),
        ({"stream": "yes"}, "stream"),
        ({"background": 1}, "background"),
        ({"background": True, "store": False}, "background"),
        ({"instructions": []}, "instructions"),
        ({"previous_response_id": 7}, "previous_response_id"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"reasoning": "low"}, "reasoning"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{**TOOL, "parameters": "x"}]}, "tools[0].parameters"),
        ({"text": "json"}, "text"),
        ({"text": {"format": {"type": "xml"}}}, "text.format"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"truncation": "some"}, "truncation"),
        ({"temperature": 3}, "temperature"),
        ({"conversation": "c"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_response_request({**BODY, **wrong})

    assert refusal.value.param == param


def test_a_body_of_chat_completions_is_sent_to_its_own_path() -> None:
    with pytest.raises(RequestInvalid, match="/v1/chat/completions"):
        parse_response_request({"model": "demo", "messages": []})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "no"}}}},
            "text.format.schema",
        ),
        ({"tools": [{**TOOL, "parameters": {"type": "no"}}]}, "tools[0].parameters"),
        ({"reasoning": {"effort": 7}}, "reasoning.effort"),
    ],
)
def test_a_fault_has_the_name_that_this_api_has_for_its_field(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_response_request({**BODY, **fields})

    assert refusal.value.param == param
    assert f"`{param}`" in refusal.value.message


def test_calls_at_once_are_no_matter_without_tools() -> None:
    parsed = parse_response_request({**BODY, "parallel_tool_calls": True})

    assert "parallel_tool_calls" not in parsed.request.parameters


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"include": ["reasoning.encrypted_content"]}, {}),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
    ],
)
def test_log_probabilities_are_asked_for_in_either_way(
    fields: dict[str, Any], asked: dict[str, Any]
) -> None:
    assert parse_response_request({**BODY, **fields}).request.parameters == asked


def test_tools_that_may_be_called_are_named_as_chat_completions_names_them() -> None:
    choice = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "f"}],
    }

    parsed = parse_response_request({**BODY, "tools": [TOOL], "tool_choice": choice})

    assert parsed.request.parameters["tool_choice"] == {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "f"}}],
        },
    }


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "f"}])
def test_a_choice_of_tools_needs_some(choice: Any) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_response_request({**BODY, "tool_choice": choice})

    assert refusal.value.param == "tool_choice"
    parse_response_request({**BODY, "tool_choice": "auto"})
