"""Small talk: whole messages that are recognised by their words."""

import pytest

from potok.models.demo.phrases import PHRASES
from potok.models.demo.smalltalk import (
    Talk,
    introduced_name,
    recognise,
    without_greeting,
)


@pytest.mark.parametrize(
    ("message", "talk"),
    [
        ("Hello!", "greeting"),
        ("hi there", "greeting"),
        ("Good morning", "greeting"),
        ("Привет всем!", "greeting"),
        ("Добрый день.", "greeting"),
        ("Hi, how are you?", "how_are_you"),
        ("Как дела?", "how_are_you"),
        ("Thanks a lot!", "welcome"),
        ("Спасибо", "welcome"),
        ("bye", "goodbye"),
        ("Who are you?", "who_am_i"),
        ("Are you ChatGPT?", "who_am_i"),
        ("ты случайно не бот?", None),
        ("Ты ChatGPT?", "who_am_i"),
        ("What can you do?", "what_i_can"),
        ("А что ты умеешь?", "what_i_can"),
        ("How do I resume a stream?", None),
        ("Hello! How do I resume?", None),
        ("hello " * 100, None),
        ("", None),
        ("🙂", None),
    ],
)
def test_a_message_is_recognised_whole(message: str, talk: Talk | None) -> None:
    assert recognise(message) == talk


def test_each_kind_of_talk_has_an_answer_in_both_languages() -> None:
    for phrases in PHRASES.values():
        for talk in Talk.__args__:  # type: ignore[attr-defined]
            assert getattr(phrases, talk)


@pytest.mark.parametrize(
    ("question", "rest", "greeted"),
    [
        ("Hello! How do I resume?", "How do I resume?", True),
        ("Добрый день, как отменить?", "как отменить?", True),
        ("How do I say hello?", "How do I say hello?", False),
        ("Привет", "", True),
        ("İyi hello", "İyi hello", False),
    ],
)
def test_a_greeting_before_a_question_is_put_aside(question: str, rest: str, greeted: bool) -> None:
    assert without_greeting(question) == (rest, greeted)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("My name is Anna and I live in Omsk.", "Anna"),
        ("Hi, I'm Bob.", "Bob"),
        ("Call me Ishmael", "Ishmael"),
        ("Меня зовут Анна", "Анна"),
        ("Моё имя — Пётр.", "Пётр"),
        ("I am tired", None),
        ("What is my name?", None),
    ],
)
def test_a_name_is_heard_in_an_introduction(message: str, name: str | None) -> None:
    assert introduced_name(message) == name
