from typing import Any

import pytest

from potok.dialects.model_parameters import check_model_name, check_parameters
from potok.errors import RequestInvalid

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {}}}

GOOD: list[tuple[str, Any]] = [
    ("frequency_penalty", -2),
    ("logit_bias", {"50256": -100}),
    ("logprobs", False),
    ("max_completion_tokens", 1),
    ("max_tokens", 1_000_000),
    ("metadata", {}),
    ("n", 16),
    ("logit_bias", {"50256": -100}),
    ("presence_penalty", 2.0),
    ("reasoning_effort", "low"),
    ("response_format", {"type": "json_object"}),
    ("response_format", {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}),
    ("seed", -7),
    ("stop", "\n"),
    ("stop", ["a", "b", "c", "d"]),
    ("temperature", 0),
    ("temperature", 2.0),
    ("tools", []),
    ("tools", [FUNCTION, {"type": "web_search"}]),
    ("top_p", 0.5),
    ("user", "u1"),
    ("nobody_knows", [None, {"a": float("inf")}]),
]

BAD: list[tuple[str, Any, str]] = [
    ("frequency_penalty", 2.1, "frequency_penalty"),
    ("logit_bias", [], "logit_bias"),
    ("logit_bias", {"50256": 101}, "logit_bias.50256"),
    ("logit_bias", {"50256": "x"}, "logit_bias.50256"),
    ("logprobs", 1, "logprobs"),
    ("max_tokens", 0, "max_tokens"),
    ("max_tokens", 1.5, "max_tokens"),
    ("max_completion_tokens", "9", "max_completion_tokens"),
    ("n", 0, "n"),
    ("n", 17, "n"),
    ("n", True, "n"),
    ("reasoning_effort", 3, "reasoning_effort"),
    ("response_format", "json", "response_format"),
    ("response_format", {"type": 1}, "response_format"),
    ("response_format", {"type": "json_schema"}, "response_format.json_schema"),
    ("parallel_tool_calls", True, "parallel_tool_calls"),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "", "schema": {}}},
        "response_format.json_schema.name",
    ),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "x", "schema": {}, "strict": "yes"}},
        "response_format.json_schema.strict",
    ),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}},
        "response_format.json_schema.schema",
    ),
    ("seed", "x", "seed"),
    ("stop", 5, "stop"),
    ("stop", ["a"] * 5, "stop"),
    ("stop", ["a", 1], "stop"),
    ("temperature", -0.1, "temperature"),
    ("temperature", 2.01, "temperature"),
    ("temperature", "hot", "temperature"),
    ("temperature", False, "temperature"),
    ("tool_choice", "maybe", "tool_choice"),
    ("tool_choice", {"name": "f"}, "tool_choice"),
    ("tools", {}, "tools"),
    ("tools", [FUNCTION] * 129, "tools"),
    ("tools", [FUNCTION, {"name": "f"}], "tools[1]"),
    ("tools", [{"type": "function", "function": {}}], "tools[0].function.name"),
    ("tools", [{"type": "function"}], "tools[0].function.name"),
    (
        "tools",
        [{"type": "function", "function": {"name": "f", "parameters": {"properties": []}}}],
        "tools[0].function.parameters",
    ),
    ("top_p", 1.1, "top_p"),
    ("user", {}, "user"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_fits_passes_unchanged(name: str, value: Any) -> None:
    assert check_parameters({name: value}) == {name: value}


@pytest.mark.parametrize(
    "choice",
    ["none", "auto", "required", {"type": "function", "function": {"name": "f"}}, {"type": "x"}],
)
def test_a_choice_of_tools_goes_with_tools(choice: Any) -> None:
    chosen = {"tools": [FUNCTION], "tool_choice": choice}

    assert check_parameters(chosen) == chosen
    with pytest.raises(RequestInvalid):
        check_parameters({"tool_choice": choice})


def test_a_choice_of_a_tool_that_is_not_there_is_refused() -> None:
    choice = {"type": "function", "function": {"name": "g"}}

    with pytest.raises(RequestInvalid) as refusal:
        check_parameters({"tools": [FUNCTION], "tool_choice": choice})

    assert refusal.value.param == "tool_choice"


@pytest.mark.parametrize(("name", "value", "param"), BAD)
def test_what_does_not_fit_is_refused_by_name(name: str, value: Any, param: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        check_parameters({name: value})

    assert refusal.value.param == param
    assert f"`{param}`" in refusal.value.message


def test_a_known_parameter_that_is_null_counts_as_not_given() -> None:
    assert check_parameters({"temperature": None, "strange": None}) == {"strange": None}


def test_top_logprobs_needs_logprobs() -> None:
    fits = {"logprobs": True, "top_logprobs": 20}

    assert check_parameters(fits) == fits
    with pytest.raises(RequestInvalid, match="needs `logprobs: true`"):
        check_parameters({"top_logprobs": 2})


def test_a_sentence_names_a_number_but_never_what_a_text_says() -> None:
    with pytest.raises(RequestInvalid, match="from 0 to 2, not 3"):
        check_parameters({"temperature": 3})
    with pytest.raises(RequestInvalid, match="not a string") as refusal:
        check_parameters({"temperature": "my secret"})

    assert "secret" not in refusal.value.message


@pytest.mark.parametrize("value", [None, "", "  ", 3, "m" * 201])
def test_a_model_needs_a_name(value: object) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        check_model_name(value)

    assert refusal.value.param == "model"


def test_two_words_for_one_limit_contradict_each_other() -> None:
    with pytest.raises(RequestInvalid, match="max_completion_tokens") as refusal:
        check_parameters({"max_tokens": 5, "max_completion_tokens": 5})

    assert refusal.value.param == "max_tokens"


def test_calls_at_once_are_a_wish_about_tools() -> None:
    asked = {"tools": [FUNCTION], "parallel_tool_calls": False}

    assert check_parameters(asked) == asked
