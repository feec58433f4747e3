"""Sentences: where they end, and what they are."""

import pytest

from potok.limits import DEMO_PASSAGE_CHARACTERS_MAX
from potok.models.demo.sentences import (
    Sentence,
    is_question,
    is_request,
    is_statement,
    split_sentences,
)


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Раз. Два! Три…  Четыре", ["Раз.", "Два!", "Три…", "Четыре"]),
        ("Dr. Smith met J. Doe. They left.", ["Dr. Smith met J. Doe.", "They left."]),
        ("Живу на ул. Ленина. Дом 5.", ["Живу на ул. Ленина.", "Дом 5."]),
        ("It costs 3.5 euros. Fine.", ["It costs 3.5 euros.", "Fine."]),
        ("- one\n* two\n3. three\n> four", ["one", "two", "three", "four"]),
        ("", []),
        ("\n \n", []),
    ],
)
def test_a_text_is_cut_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert texts(text) == sentences


def test_lines_under_a_heading_carry_it() -> None:
    assert split_sentences("# Hours\n9 to 18\nPrices:\n- 5 euros") == [
        Sentence("9 to 18", "Hours"),
        Sentence("5 euros", "Prices"),
    ]


def test_what_follows_a_request_and_a_colon_is_a_sentence_of_its_own() -> None:
    assert texts("Read this: the sky is blue. It is high.") == [
        "Read this",
        "the sky is blue.",
        "It is high.",
    ]


def test_a_text_without_an_end_is_cut_into_passages() -> None:
    parts = texts("a" * (2 * DEMO_PASSAGE_CHARACTERS_MAX + 1))

    assert [len(part) for part in parts] == [DEMO_PASSAGE_CHARACTERS_MAX] * 2 + [1]


@pytest.mark.parametrize(
    ("sentence", "asks"),
    [
        ("What is it?", True),
        ("what is it", True),
        ("Она придёт?", True),
        ("как отменить", True),
        ("And how do I stop", True),
        ("May 5 is my birthday.", False),
        ("I know what it is.", False),
    ],
)
def test_a_question_has_its_mark_or_its_word(sentence: str, asks: bool) -> None:
    assert is_question(sentence) is asks


@pytest.mark.parametrize(
    ("sentence", "requests"),
    [("Count to 5", True), ("Please list them", True), ("Расскажи сказку", True), ("I do", False)],
)
def test_a_request_begins_with_a_verb_that_asks(sentence: str, requests: bool) -> None:
    assert is_request(sentence) is requests


@pytest.mark.parametrize(
    ("sentence", "from_instructions", "states"),
    [
        ("You are a helpful assistant.", True, False),
        ("Отвечай кратко.", True, False),
        ("The shop opens at 9.", True, True),
        ("Count to 5", False, False),
        ("What is it?", False, False),
        ("My name is Anna.", False, True),
    ],
)
def test_instructions_and_requests_are_no_statements(
    sentence: str, from_instructions: bool, states: bool
) -> None:
    assert is_statement(sentence, from_instructions=from_instructions) is states
