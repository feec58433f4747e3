"""The whole answer: which rule gives it, its bounds, and that nothing but the request decides."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potok.limits import DEMO_ANSWER_CHARACTERS_MAX, MESSAGE_BYTES_MAX
from potok.models.contract import ChatRequest
from potok.models.demo.composition import Composition, compose
from potok.models.demo.pieces import split_pieces
from tests.unit.models.demo.asking import answer, plan, request_of

SOURCE = Path(__file__).parents[4] / "src"


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("Hello!", "talk"),
        ("Hi, I am Anna", "talk"),
        ("Repeat after me: one", "repeat"),
        ("count to 50", "count"),
        ("посчитай до 50", "count"),
        ("2+2", "arithmetic"),
        ("list the days of the week", "list"),
        ("What is Potok?", "documents"),
        ("My name is Anna.", "note"),
        ("Write a poem about the sea", "create"),
        ("Write a Python function that reverses a list", "create"),
        ("Tell me a story", "create"),
        ("Write a story about a slow reader", "create"),
        ("Write a program that reads the events of a stream", "create"),
        ("Write a curl example", "documents"),
        ("Переведи на английский: доброе утро", "create"),
        ("asdfgh", "unknown"),
        ("Why?", "vague"),
        ("🙂", "vague"),
        ("你好", "vague"),
        ("", "empty"),
    ],
)
def test_a_message_is_answered_by_its_rule(message: str, rule: str) -> None:
    assert plan(message).rule == rule


def test_a_greeting_says_what_it_is() -> None:
    assert answer("Hello!").startswith("Hello! I am the demo model of Potok")
    assert answer("Привет!").startswith("Здравствуйте! Я демонстрационная модель Potok")
    assert answer("Hi, I am Anna").startswith("Hello, Anna! I am the demo model")


@pytest.mark.parametrize("question", ["asdfgh", "Write a poem", "Кто ты?", "ывапролд"])
def test_it_says_that_it_is_no_language_model_and_how_to_get_one(question: str) -> None:
    said = answer(question)

    assert "language model" in said or "языковая модель" in said or "языковой модели" in said
    assert "OPENAI_API_KEY" in said


def test_it_does_not_say_the_same_twice_when_it_does_not_know() -> None:
    first = answer("asdfgh")

    second = answer("u:asdfgh", f"a:{first}", "u:qwerty")

    assert second.startswith("I do not know that either")
    assert len(second) < len(first)


def test_it_cannot_translate_and_says_so() -> None:
    assert answer("Translate good morning into Spanish").startswith("I cannot translate.")


def test_what_is_told_is_noted() -> None:
    assert answer("My name is Anna and I live in Omsk.") == (
        "Noted: your name is Anna and you live in Omsk. Ask me about it later in this chat."
    )


def test_an_unknown_topic_at_length_still_streams_at_length() -> None:
    said = answer("Расскажи длинную сказку")

    assert said.startswith("Для этого нужна языковая модель")
    assert len(split_pieces(said)) >= 300


def test_only_instructions_are_answered_with_an_invitation() -> None:
    assert answer("s:You are a bot.").startswith("I have been given instructions")
    assert answer("s:Ты бот.", language="ru").startswith("Мне дали указания")
    assert answer().startswith("Your message is empty.")


def test_continue_gives_the_rest_of_the_answer() -> None:
    whole = answer("What is Potok?")

    rest = answer("u:What is Potok?", f"a:{whole[:50]}", "u:continue")

    assert whole[:50] + rest == whole


def test_a_begun_answer_is_gone_on_with() -> None:
    assert answer("u:count to 10", "a:1, 2, 3") == ", 4, 5, 6, 7, 8, 9, 10."


def test_after_the_whole_answer_there_is_nothing_to_continue() -> None:
    assert answer("u:count to 3", "a:1, 2, 3.", "u:continue").startswith(
        "That was the whole answer"
    )
    assert answer("u:count to 3", "a:1, 2, 3.") == ""


def test_only_its_own_answers_are_continued() -> None:
    assert answer("u:count to 3", "a:One", "u:continue").startswith("I can only go on")


@pytest.mark.parametrize(
    ("parameters", "text", "reason"),
    [
        ({"max_tokens": 3}, "1, 2", "length"),
        ({"max_completion_tokens": 3}, "1, 2", "length"),
        ({"max_tokens": 5, "max_completion_tokens": 3}, "1, 2", "length"),
        ({"max_tokens": 8}, "1, 2, 3, 4.", "stop"),
        ({"max_tokens": 0}, "1, 2, 3, 4.", "stop"),
        ({"max_tokens": None}, "1, 2, 3, 4.", "stop"),
        ({"max_tokens": True}, "1, 2, 3, 4.", "stop"),
        ({"stop": ", 3"}, "1, 2", "stop"),
        ({"stop": ["x", "4", ", 3"]}, "1, 2", "stop"),
        ({"stop": ""}, "1, 2, 3, 4.", "stop"),
        ({"stop": 5}, "1, 2, 3, 4.", "stop"),
    ],
)
def test_limits_of_the_request_are_kept(
    parameters: dict[str, object], text: str, reason: str
) -> None:
    request = msgspec.structs.replace(request_of("count to 4"), parameters=parameters)

    composed = compose(request)

    assert ("".join(composed.text), composed.finish_reason) == (text, reason)


def test_thinking_counts_towards_the_limit() -> None:
    composed = compose(request_of("count to 4", reasoning_effort="high", max_tokens=3))

    assert (len(composed.reasoning), composed.text, composed.finish_reason) == (3, (), "length")


def test_an_answer_is_bounded() -> None:
    composed = compose(request_of("Repeat: " + "word " * 100_000))

    assert len("".join(composed.text)) == DEMO_ANSWER_CHARACTERS_MAX
    assert composed.finish_reason == "length"


def test_usage_counts_pieces() -> None:
    composed = compose(request_of("s:Be kind.", "u:count to 3", reasoning_effort="low"))

    assert composed.usage.prompt_tokens == 3 + 3
    assert composed.usage.reasoning_tokens == len(composed.reasoning)
    assert composed.usage.completion_tokens == len(composed.reasoning) + len(composed.text)


def test_the_order_of_keys_plays_no_part() -> None:
    message = {"role": "user", "content": "How do I cancel?", "name": "x"}
    parameters = {"max_tokens": 50, "reasoning_effort": "low", "stop": "y"}

    forward = compose(ChatRequest(model="a", messages=(message,), parameters=parameters))
    backward = compose(
        ChatRequest(
            model="b",
            messages=(dict(reversed(message.items())),),
            parameters=dict(reversed(parameters.items())),
        )
    )

    assert forward == backward


ASKED = (
    request_of("Think step by step: how do I resume after kill -9?"),
    request_of("s:Anna sells rings. Boris sells rings.", "u:Who sells the most rings?"),
    request_of("Подумай: что такое смещение и как отменить запуск?"),
    request_of("Summarize: one two. two three. three four. four one. five six."),
)


def _digest(compositions: list[Composition]) -> str:
    return hashlib.sha256(msgspec.json.encode(compositions)).hexdigest()


@pytest.mark.parametrize("seed", ["0", "1"])
def test_every_process_composes_the_same(seed: str) -> None:
    script = (
        "from tests.unit.models.demo.test_composition import ASKED, _digest, compose;"
        "print(_digest([compose(request) for request in ASKED]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{SOURCE}:{SOURCE.parent}"}

    printed = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == _digest([compose(request) for request in ASKED])


_WORDS = st.sampled_from(
    [
        *("repeat after me:", "count to 10", "17 *", "23", "what is my name?", "My name is Anna."),
        *("think step by step", "in detail", "continue", "summarize:", "list", "a, b, c", "Potok"),
        *("повтори", "«да»", "5 раз", "посчитай до", "подумай", "меня зовут", "Анна", "дважды"),
        *(
            "```",
            "# ",
            "| a |",
            "²",
            "İ",
            "ﬁ",
            "e\u0301",
            "👩‍👩‍👧",
            "\ud83d",
            "½",
            "\n\n",
            "?",
            ".",
        ),
    ]
)
_TEXTS = st.lists(_WORDS | st.text(max_size=12), max_size=8).map(" ".join)
_MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": _TEXTS}
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_MESSAGES, max_size=4), st.sampled_from(["en", "ru", ""]), st.booleans())
def test_every_prompt_has_an_answer_that_can_be_sent(
    messages: list[dict[str, str]], language: str, thinks: bool
) -> None:
    request = ChatRequest(
        model="demo",
        messages=tuple(messages),
        parameters={"reasoning_effort": "low"} if thinks else {},
        language=language,
    )

    composed = compose(request)

    assert composed == compose(request)
    assert msgspec.json.encode(composed)
    assert all(composed.text)


def _sentences(count: int) -> str:
    return "".join(f"The value of item {at} in row {at * 7} is blue. " for at in range(count))


@pytest.mark.parametrize(
    "message",
    [
        _sentences(30_000)[:MESSAGE_BYTES_MAX] + "\n\nWhat is the value of item 777?",
        "a" * MESSAGE_BYTES_MAX,
        ". " * (MESSAGE_BYTES_MAX // 2),
        "1+" * (MESSAGE_BYTES_MAX // 2),
        "(" * MESSAGE_BYTES_MAX,
        'say "' * (MESSAGE_BYTES_MAX // 5),
        "list: " + "a, " * (MESSAGE_BYTES_MAX // 3),
    ],
    ids=["sentences", "letters", "stops", "sum", "brackets", "quotes", "items"],
)
def test_a_message_of_a_mebibyte_is_answered(message: str) -> None:
    assert 0 < len(answer(message)) <= DEMO_ANSWER_CHARACTERS_MAX


def test_a_needle_in_a_mebibyte_is_found() -> None:
    text = _sentences(15_000)
    haystack = text[:300_000] + "The code word is lighthouse. " + text[300_000:]

    assert "The code word is lighthouse." in answer(f"s:{haystack}", "u:What is the code word?")
