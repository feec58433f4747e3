from typing import Any

import pytest

from potok.errors import RequestInvalid
from potok.models.ollama_messages import ollama_messages

PNG = "iVBORw0KGgo="


def one(**message: Any) -> Any:
    (result,) = ollama_messages([{"role": "user", **message}])
    return result


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("привет", "привет"),
        (None, ""),
        (5, ""),
        ([], ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
    ],
)
def test_a_message_becomes_one_text(content: Any, text: str) -> None:
    assert one(content=content) == {"role": "user", "content": text}


def test_pictures_stand_beside_the_text_in_base64() -> None:
    url = f"data:image/png;base64,{PNG}"
    content = [
        {"type": "text", "text": "Что это?"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "image_url", "image_url": url},
    ]

    assert one(content=content, images=["own"]) == {
        "role": "user",
        "content": "Что это?",
        "images": ["own", PNG, PNG],
    }


@pytest.mark.parametrize(
    ("part", "advice"),
    [
        ({"type": "image_url", "image_url": {"url": "http://10.0.0.1/cat.png"}}, "as data:image"),
        ({"type": "image_url", "image_url": {"url": "data:image/png,raw"}}, "as data:image"),
        ({"type": "image_url"}, "as data:image"),
        ({"type": "input_audio", "input_audio": {}}, "no part of type 'input_audio'"),
        ({"type": "file"}, "no part of type 'file'"),
        ("text", "no part of type 'None'"),
    ],
)
def test_what_ollama_cannot_take_is_refused_with_advice(part: Any, advice: str) -> None:
    with pytest.raises(RequestInvalid, match=advice) as refusal:
        one(content=[part])

    assert refusal.value.param == "messages"


def test_roles_have_ollamas_names_and_unknown_fields_stay() -> None:
    assert one(role="developer", content="a", custom=1) == {
        "role": "system",
        "content": "a",
        "custom": 1,
    }
    assert one(role="function", content="a")["role"] == "tool"
    assert one(role=None, content="a")["role"] is None


@pytest.mark.parametrize("field", ["thinking", "reasoning_content", "reasoning"])
def test_earlier_thinking_has_one_name(field: str) -> None:
    assert one(role="assistant", content="a", **{field: "мысль"}) == {
        "role": "assistant",
        "content": "a",
        "thinking": "мысль",
    }


def test_a_call_and_its_answer_are_told_by_the_tools_name() -> None:
    function = {"name": "weather", "arguments": '{"city": "Псков"}'}
    call = {"id": "c1", "type": "function", "index": 0, "function": function}

    asked, told = ollama_messages(
        [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "+5"},
        ]
    )

    assert asked == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c1", "function": {"name": "weather", "arguments": {"city": "Псков"}}}
        ],
    }
    assert told == {
        "role": "tool",
        "content": "+5",
        "tool_call_id": "c1",
        "tool_name": "weather",
    }


def test_a_tools_answer_may_name_its_tool_itself_or_not_at_all() -> None:
    assert one(role="tool", content="a", name="f")["tool_name"] == "f"
    assert one(role="tool", content="a", tool_name="g", name="f")["tool_name"] == "g"
    assert "tool_name" not in one(role="tool", content="a", tool_call_id="unknown")


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("", {}),
        ("{}", {}),
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("[1]", {"arguments": [1]}),
        ("[" * 100_000, {"arguments": "[" * 100_000}),
        (None, {"arguments": None}),
    ],
)
def test_arguments_are_sent_as_an_object_whatever_a_model_wrote(arguments: Any, sent: Any) -> None:
    message = one(tool_calls=[{"function": {"name": "f", "arguments": arguments}}, "odd"])

    assert message["tool_calls"] == [{"function": {"name": "f", "arguments": sent}}]
