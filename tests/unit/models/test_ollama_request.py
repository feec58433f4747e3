from typing import Any

import pytest

from potok.errors import RequestInvalid
from potok.models.ollama_request import chat_body, generate_body

BARE = {"model": "m", "messages": [{"role": "user", "content": "a"}], "stream": True}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}}


def extra(**parameters: Any) -> dict[str, Any]:
    """Return what parameters add to a bare chat."""
    body = chat_body("m", [{"role": "user", "content": "a"}], parameters)
    assert body.items() >= BARE.items()
    return {name: value for name, value in body.items() if name not in BARE}


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({"temperature": 0, "top_p": 0.9, "seed": 7}, {"temperature": 0, "top_p": 0.9, "seed": 7}),
        ({"max_tokens": 5}, {"num_predict": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"num_predict": 6}),
        ({"max_tokens": 5, "num_predict": 7}, {"num_predict": 7}),
        ({"stop": "x"}, {"stop": ["x"]}),
        ({"stop": ["x", "y"]}, {"stop": ["x", "y"]}),
        ({"frequency_penalty": 0.5, "presence_penalty": 1}, None),
        ({"num_ctx": 8192, "top_k": 20, "repeat_penalty": 1.1}, None),
        ({"temperature": 0, "options": {"temperature": 1, "mirostat": 2}}, None),
    ],
)
def test_parameters_become_options(
    parameters: dict[str, Any], options: dict[str, Any] | None
) -> None:
    own = parameters.pop("options", {})

    assert extra(**parameters, options=own) == {"options": options or {**parameters, **own}}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"temperature": None, "stop": None, "max_tokens": None, "reasoning_effort": None},
        {"n": 1, "stream": True, "stream_options": {"include_usage": True}, "user": "u"},
        {"parallel_tool_calls": True, "logit_bias": {"1": 2}, "metadata": {}, "store": False},
        {"response_format": {"type": "text"}, "options": "odd"},
        {"tools": [], "tool_choice": "auto"},
        {"tools": TOOLS, "tool_choice": "none"},
    ],
)
def test_what_ollama_has_nothing_for_is_left_out(parameters: dict[str, Any]) -> None:
    assert extra(**parameters) == {}


def test_tools_pass_through() -> None:
    assert extra(tools=TOOLS, tool_choice="required") == {"tools": TOOLS}


@pytest.mark.parametrize(
    ("wish", "form"),
    [
        ({"type": "json_object"}, "json"),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}, SCHEMA),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, "json"),
        ({"type": "json_schema"}, "json"),
    ],
)
def test_a_format_is_asked_for_in_ollamas_way(wish: Any, form: Any) -> None:
    assert extra(response_format=wish) == {"format": form}
    assert extra(response_format=wish, format="json") == {"format": "json"}


@pytest.mark.parametrize(
    ("effort", "think"),
    [
        ("none", False),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "high"),
    ],
)
def test_effort_becomes_thinking(effort: str, think: Any) -> None:
    assert extra(reasoning_effort=effort) == {"think": think}
    assert extra(reasoning_effort=effort, think=True) == {"think": True}


def test_ollamas_own_words_stand_beside_the_options() -> None:
    own = {"keep_alive": "5m", "think": False, "logprobs": True, "top_logprobs": 2}

    assert extra(**own) == own


def test_several_answers_are_refused() -> None:
    with pytest.raises(RequestInvalid, match="one answer to a call") as refusal:
        extra(n=2)

    assert refusal.value.param == "n"


def test_a_plain_prompt_is_sent_with_what_was_said_of_it() -> None:
    bare = {"model": "m", "prompt": "a", "stream": True}

    assert generate_body("m", "a", {}) == bare
    assert generate_body("m", "a", {"max_tokens": 3, "keep_alive": 0}, is_raw=True) == {
        **bare,
        "raw": True,
        "keep_alive": 0,
        "options": {"num_predict": 3},
    }
    assert generate_body(
        "m", "a", {}, system="", template="{{ .Prompt }}", suffix="z", images=("p",)
    ) == {**bare, "system": "", "template": "{{ .Prompt }}", "suffix": "z", "images": ["p"]}
