import json
from typing import Any

from openai.types.chat import ChatCompletion

from potok.dialects.dialect import Reading
from potok.dialects.openai_chat_body import completion_body, completion_failure, encode_usage
from potok.events.fold import Fold, Message
from potok.events.kinds import RunEnd, Usage
from potok.testing.samples import CREATED, RUN, SAMPLES

READING = Reading(run=RUN, model="demo", created=CREATED)


def fold(name: str) -> Message:
    folding = Fold()
    for event in SAMPLES[name]:
        folding.feed(event)
    return folding.message


def body_of(name: str) -> Any:
    return json.loads(completion_body(fold(name), reading=READING))


def test_a_whole_answer() -> None:
    assert body_of("an answer") == {
        "id": f"chatcmpl-{RUN}",
        "object": "chat.completion",
        "created": CREATED,
        "model": "demo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Привет, мир!", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 7,
            "total_tokens": 19,
            "completion_tokens_details": {"reasoning_tokens": 2},
            "prompt_tokens_details": {"cached_tokens": 4},
        },
    }


def test_thinking_stands_beside_the_content() -> None:
    message = body_of("thinking before the answer")["choices"][0]["message"]

    assert message["reasoning_content"] == "2 and 2 is 4"
    assert message["content"] == "It is 4."


def test_calls_are_whole() -> None:
    choice = body_of("two calls at once")["choices"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0] == {
        "id": "call_a",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Пермь"}'},
    }


def test_content_is_null_where_only_calls_were_made_and_empty_where_nothing_was_said() -> None:
    only_calls = body_of("several choices")["choices"][3]
    nothing = body_of("an answer without a word")

    assert only_calls["message"]["content"] is None
    assert nothing["choices"][0]["message"]["content"] == ""
    assert "usage" not in nothing


def test_every_choice_has_its_text_and_reason() -> None:
    choices = body_of("several choices")["choices"]

    assert [choice["message"]["content"] for choice in choices] == ["one", "two", "three", None]
    assert [choice["finish_reason"] for choice in choices] == [
        "stop",
        "length",
        "stop",
        "tool_calls",
    ]


def test_a_choice_without_a_part_and_a_run_without_a_reason() -> None:
    folding = Fold()
    folding.feed(RunEnd(outcome="finished", finish_reasons=("stop", "length")))
    two = json.loads(completion_body(folding.message, reading=READING))["choices"]
    none = json.loads(completion_body(Message(), reading=READING))["choices"]

    assert [choice["finish_reason"] for choice in two] == ["stop", "length"]
    assert [choice["finish_reason"] for choice in none] == ["stop"]


def test_a_finished_run_is_no_failure() -> None:
    assert completion_failure(fold("an answer")) is None


def test_a_failed_run_has_a_status_and_says_why() -> None:
    failure = completion_failure(fold("failed in the middle"))

    assert failure is not None
    assert failure[0] == 502
    assert json.loads(failure[1])["error"]["message"] == "The provider went away."


def test_a_cancelled_run_has_no_whole_answer() -> None:
    failure = completion_failure(fold("cancelled"))

    assert failure is not None
    assert failure[0] == 499
    assert json.loads(failure[1])["error"]["code"] == "cancelled"


def test_details_of_usage_are_joined_and_a_providers_own_sum_stands() -> None:
    usage = Usage(
        prompt_tokens=1,
        completion_tokens=2,
        reasoning_tokens=1,
        extra={
            "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 9},
            "total_tokens": 10,
            "prompt_tokens": 99,
        },
    )

    assert json.loads(encode_usage(usage)) == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 10,
        "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 1},
    }
    assert "completion_tokens_details" not in json.loads(encode_usage(Usage()))


def tokens_of(choice: Any, name: str) -> list[str]:
    return [entry["token"] for entry in choice["logprobs"][name]]


def test_each_choice_has_its_own_log_probabilities_and_its_own_refusal() -> None:
    first, second = body_of("a refusal, and another choice")["choices"]

    assert (first["message"]["content"], first["message"]["refusal"]) == (None, "I cannot.")
    assert (second["message"]["content"], second["message"]["refusal"]) == ("Fine.", None)
    assert (first["logprobs"]["content"], tokens_of(first, "refusal")) == (None, ["I can"])
    assert (tokens_of(second, "content"), second["logprobs"]["refusal"]) == (["Fine", "."], None)
    assert body_of("an answer")["choices"][0]["logprobs"] is None


def test_a_body_is_valid_for_the_official_client() -> None:
    for name in SAMPLES:
        checked = ChatCompletion.model_validate(body_of(name), strict=True)

        assert checked.id == f"chatcmpl-{RUN}"
