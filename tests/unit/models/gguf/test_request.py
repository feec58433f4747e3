"""What is sent to llama.cpp for a request."""

from pathlib import Path
from typing import Any

import msgspec

from potok.models.contract import ChatRequest
from potok.models.gguf.header import GgufHeader
from potok.models.gguf.request import asking_for
from potok.models.gguf.source import LABEL

HEADER = GgufHeader(
    architecture="llama", name="tiny", use="chat", context_tokens=4096, chat_template=""
)
MESSAGES = ({"role": "user", "content": "Hi"},)


def body_for(*, counts: bool = True, **parameters: Any) -> Any:
    request = ChatRequest(model="tiny", messages=MESSAGES, parameters=parameters)
    return msgspec.json.decode(asking_for("tiny", request, header=HEADER).new_body(counts))


def test_parameters_go_through_as_they_are() -> None:
    body = body_for(temperature=0.2, top_k=40, stop=["x"], logit_bias={"1": 5})

    assert body == {
        "temperature": 0.2,
        "top_k": 40,
        "stop": ["x"],
        "logit_bias": {"1": 5},
        "messages": [dict(message) for message in MESSAGES],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_nobody_takes_a_slot_or_a_label_from_outside() -> None:
    label: dict[str, Any] = {LABEL: 7}

    body = body_for(id_slot=0, model="other", stream=False, **label)

    assert body.keys() == {"messages", "stream", "stream_options"}


def test_counts_may_be_left_out() -> None:
    assert "stream_options" not in body_for(counts=False)


def test_no_thinking_is_told_to_the_template() -> None:
    body = body_for(reasoning_effort="none", chat_template_kwargs={"a": 1})

    assert body["chat_template_kwargs"] == {"enable_thinking": False, "a": 1}


def test_tools_of_a_template_that_knows_none_become_a_schema() -> None:
    tools = [{"type": "function", "function": {"name": "now"}}]

    body = body_for(tools=tools, tool_choice="required", parallel_tool_calls=False)

    assert "tools" not in body
    assert "tool_choice" not in body
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["calls"]["items"]["properties"]["name"] == {"const": "now"}
    assert body["messages"][0]["role"] == "system"


def test_the_program_of_the_child_knows_nothing_of_potok() -> None:
    from potok.models.gguf import child

    source = Path(child.__file__).read_text(encoding="utf-8")

    assert "import potok" not in source
    assert "from potok" not in source
