from typing import Any

import pytest

from potok.dialects.native_request import parse_run_request
from potok.errors import RequestInvalid
from potok.events.run_request import RunRequest
from potok.limits import FALLBACKS_MAX

POLICY = {"on_upstream_failure": "restart", "fallback": ["demo"]}
HELLO = {"role": "user", "content": "Hello"}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "demo", "messages": [HELLO], **fields}


def test_a_models_run_with_its_parameters_at_the_top() -> None:
    request = parse_run_request(body(temperature=0.5, strange=1))

    assert request == RunRequest(
        model="demo",
        messages=(HELLO,),
        parameters={"temperature": 0.5, "strange": 1},
        on_disconnect="keep",
        language="en",
        face="native",
    )


def test_an_agents_run() -> None:
    request = parse_run_request(
        {"agent": "coder", "input": {"message": "x"}, "model": None, "messages": None}
    )

    assert (request.agent, request.input) == ("coder", {"message": "x"})
    assert (request.model, request.messages) == (None, ())


def test_how_it_is_run() -> None:
    request = parse_run_request(
        body(chat_id="c1", on_disconnect="cancel", policy=POLICY, language="ru-RU")
    )

    assert request.chat == "c1"
    assert request.on_disconnect == "cancel"
    assert request.policy == POLICY
    assert request.language == "ru-RU"
    assert request.parameters == {}


def test_the_callers_language_counts_where_the_body_has_none() -> None:
    assert parse_run_request(body(), language="ru").language == "ru"
    assert parse_run_request(body(language="en"), language="ru").language == "en"


def test_null_is_as_good_as_nothing() -> None:
    empty = dict.fromkeys(("agent", "input", "chat_id", "on_disconnect", "policy", "language"))

    assert parse_run_request(body(**empty, stream=False)) == parse_run_request(body())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "m"}, "messages"),
        ({"messages": [HELLO]}, "model"),
        ({}, "model"),
        ({"agent": "a"}, "input"),
        ({"agent": "", "input": "x"}, "agent"),
        ({"agent": 5, "input": "x"}, "agent"),
        ({"agent": "a" * 201, "input": "x"}, "agent"),
        ({"agent": "a", "input": "x", "model": "m"}, "agent"),
        ({"agent": "a", "input": "x", "messages": [HELLO]}, "agent"),
        ({"model": "m", "input": "x"}, "input"),
        (body(chat_id=7), "chat_id"),
        (body(on_disconnect="stay"), "on_disconnect"),
        (body(policy="fail"), "policy"),
        (body(policy={"on_loss": "fail"}), "policy"),
        (body(policy={"on_upstream_failure": "stop"}), "policy.on_upstream_failure"),
        (body(policy={"on_upstream_failure": ["fail"]}), "policy.on_upstream_failure"),
        (body(policy={"fallback": "demo"}), "policy.fallback"),
        (body(policy={"fallback": ["m"] * (FALLBACKS_MAX + 1)}), "policy.fallback"),
        (body(policy={"fallback": ["demo", ""]}), "policy.fallback[1]"),
        (body(policy={"fallback": [1]}), "policy.fallback[0]"),
        (body(language="русский"), "language"),
        (body(language=1), "language"),
        (body(stream=True), "stream"),
        (body(stream_options={}), "stream"),
        (body(parameters={"temperature": 1}), "parameters"),
        (body(temperature=9), "temperature"),
        (body(messages=[{"role": "user"}]), "messages[0].content"),
    ],
)
def test_the_field_at_fault_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_run_request(fields)

    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"model": "m", "input": "x"}, "POST /v1/responses"),
        (body(stream=True), "POST /v1/chat/completions"),
    ],
)
def test_a_body_of_another_protocol_is_told_where_to_go(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_run_request(fields)

    assert path in refusal.value.message
