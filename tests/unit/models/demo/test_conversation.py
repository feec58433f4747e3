"""Reading a request: the question, what lies around it, and what is wished."""

import msgspec
import pytest

from potok.limits import DEMO_LONG_ANSWER_PIECES, DEMO_PASSAGES_MAX, DEMO_QUESTION_CHARACTERS_MAX
from potok.models.contract import ChatRequest
from potok.models.demo.conversation import candidates, read_conversation
from potok.models.demo.retrieval import Query
from tests.unit.models.demo.asking import read, request_of


def quotable(*turns: str, question: str = "") -> list[tuple[str, str]]:
    conversation = read(*turns)
    query = Query.of(question or conversation.topic)
    return [(passage.source, passage.text) for passage in candidates(conversation, query)]


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("I live in Omsk. Where do I live?", "Where do I live?"),
        ("Where do I live? I live in Omsk.", "Where do I live?"),
        ("A text. And more text.\n\nSummarize it", "Summarize it"),
        ("My name is Anna. I am a nurse.", "My name is Anna. I am a nurse."),
        ("", ""),
    ],
)
def test_the_question_is_found_in_the_message(message: str, question: str) -> None:
    assert read(message).question == question


def test_the_newest_user_message_asks() -> None:
    conversation = read("u:What is a run?", "a:A run is...", "u:What is an offset?")

    assert conversation.question == "What is an offset?"
    assert conversation.answers == ("A run is...",)


def test_a_question_is_bounded() -> None:
    assert len(read("word " * 10_000).question) == DEMO_QUESTION_CHARACTERS_MAX


def test_the_topic_is_without_greeting_and_wishes() -> None:
    conversation = read("Hello! Think step by step and explain in detail how to cancel.")

    assert Query.of(conversation.topic).terms == ("cancel",)
    assert conversation.wants_thinking
    assert conversation.wants_detail


@pytest.mark.parametrize(
    ("message", "pieces"),
    [
        ("Tell me about Potok in detail", DEMO_LONG_ANSWER_PIECES),
        ("Расскажи подробно о Potok", DEMO_LONG_ANSWER_PIECES),
        ("Tell me a long story", DEMO_LONG_ANSWER_PIECES),
        ("Write 500 words about it", 500),
        ("Напиши 700 слов", 700),
        ("How long are runs kept?", 0),
        ("What is Potok?", 0),
    ],
)
def test_a_long_answer_is_asked_for_in_words(message: str, pieces: int) -> None:
    assert read(message).pieces_wanted == pieces


@pytest.mark.parametrize(
    ("parameters", "thinks"),
    [
        ({}, False),
        ({"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "minimal"}, False),
        ({"reasoning_effort": None}, False),
        ({"reasoning_effort": 3}, False),
        ({"reasoning": {"effort": "low"}}, True),
    ],
)
def test_thinking_is_asked_for_by_parameter(parameters: dict[str, object], thinks: bool) -> None:
    request = msgspec.structs.replace(request_of("What is Potok?"), parameters=parameters)

    assert read_conversation(request).wants_thinking is thinks


@pytest.mark.parametrize(
    ("message", "thinks"),
    [
        ("Think step by step: what is it?", True),
        ("Think: what is it?", True),
        ("Подумай, что это?", True),
        ("I think it is blue.", False),
        ("What do you think of it?", False),
    ],
)
def test_thinking_is_asked_for_in_words(message: str, thinks: bool) -> None:
    assert read(message).wants_thinking is thinks


@pytest.mark.parametrize("more", ["tell me more", "Подробнее, пожалуйста", "In detail please"])
def test_a_wish_for_more_asks_the_question_before_again(more: str) -> None:
    conversation = read("u:How do I cancel?", "a:So.", "u:Tell me more", "a:And so.", f"u:{more}")

    assert conversation.question == "How do I cancel?"
    assert conversation.wants_detail


def test_continue_asks_for_the_rest_of_the_answer_before() -> None:
    conversation = read(
        "u:How do I cancel?", "a:You ", "u:continue", "a:type ", "u:Continue, please"
    )

    assert conversation.question == "How do I cancel?"
    assert conversation.begun == "You type "
    assert conversation.continues


def test_a_begun_answer_at_the_end_is_gone_on_with() -> None:
    conversation = read("u:How do I cancel?", "a:You type ")

    assert conversation.begun == "You type "
    assert not conversation.continues


def test_continue_with_nothing_before_is_a_question_like_others() -> None:
    assert read("continue").question == "continue"


def test_facts_come_before_messages_and_newer_before_older() -> None:
    assert quotable(
        "s:Shops open at 9.", "u:I am old.", "a:I see.", "u:I am new.", "u:It is so. What?"
    ) == [
        ("given", "Shops open at 9."),
        ("message", "It is so."),
        ("earlier", "I am new."),
        ("earlier", "I am old."),
    ]


def test_instructions_questions_and_answers_are_not_quoted() -> None:
    assert (
        quotable("s:You are a bot. Always be kind.", "u:Who is it?", "a:It is me.", "u:Why?") == []
    )


def test_of_a_long_prompt_the_sentences_that_share_words_are_taken() -> None:
    filler = "Nothing of interest is here. " * (2 * DEMO_PASSAGES_MAX)
    prompt = f"s:{filler}The code word is lighthouse. {filler}"

    assert quotable(prompt, "u:What is the code word?") == [
        ("given", "The code word is lighthouse.")
    ]


def test_what_is_no_message_is_passed_over() -> None:
    odd: list[object] = [
        {"role": "user", "content": "Hi"},
        {"role": "tool", "content": "x"},
        {"role": "user"},
        {"content": "x"},
        {"role": 5, "content": "x"},
        {"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "Hello?"}]},
        "text",
    ]
    messages: tuple[dict[str, object], ...] = tuple(odd)  # type: ignore[arg-type]

    conversation = read_conversation(ChatRequest(model="demo", messages=messages))

    assert conversation.question == "Hello?"


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert read("say \ud83d").message == "say ?"
