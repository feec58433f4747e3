"""Repeating, counting and listing: what asks for it, and what comes."""

import pytest

from potok.limits import DEMO_ANSWER_CHARACTERS_MAX, DEMO_COUNT_MAX
from potok.models.demo.language import Language
from potok.models.demo.tasks import count, listed, repeat


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Repeat after me: hello world", "hello world"),
        ("Say this is a test", "this is a test"),
        ("echo abc", "abc"),
        ("Reply with exactly: OK", "OK"),
        ("Reply with only the word PONG", "PONG"),
        ("Please say 'hi there'.", "hi there"),
        ('Respond with: {"a": 1}', '{"a": 1}'),
        ('Repeat the word "ping" 3 times', "ping ping ping"),
        ("Say: \n\n a\n b ", "a\n b"),
        ("повтори за мной: привет", "привет"),
        ("Скажи привет", "привет"),
        ("Повтори слово «да» 5 раз", "да да да да да"),
        ("Ответь одним словом: да", "да"),
    ],
)
def test_a_text_is_repeated(message: str, said: str) -> None:
    assert repeat(message) == said


@pytest.mark.parametrize(
    "message",
    [
        "Say something funny",
        "Write a poem: sea",
        "say hello in French",
        "Repeat your last answer",
        "Repeat",
        "скажи, как отменить",
        "скажи мне правду",
        "Напиши стих",
        "What did you say: hello?",
        'write "hello" and more',
    ],
)
def test_other_wishes_are_not_repeated(message: str) -> None:
    assert repeat(message) is None


def test_a_text_is_never_repeated_beyond_an_answer() -> None:
    said = repeat('say "' + "x" * 1_000 + '" 10000 times')

    assert said is not None
    assert DEMO_ANSWER_CHARACTERS_MAX < len(said) < DEMO_ANSWER_CHARACTERS_MAX + 3_000


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("count to 5", "1, 2, 3, 4, 5."),
        ("Please count out loud from 3 to 6", "3, 4, 5, 6."),
        ("Count from 3 to 5, each on a new line", "3\n4\n5"),
        ("count down from 3", "3, 2, 1."),
        ("count from 2 to -1", "2, 1, 0, -1."),
        ("count to five", "1, 2, 3, 4, 5."),
        ("numbers from 1 to 3", "1, 2, 3."),
        ("посчитай до 3", "1, 2, 3."),
        ("сосчитай от двух до четырёх", "2, 3, 4."),
        ("обратный отсчёт от 3", "3, 2, 1."),
    ],
)
def test_it_counts(question: str, numbers: str) -> None:
    assert count(question) == (numbers, True)


def test_number_words_may_be_two() -> None:
    counted = count("посчитай до двадцати пяти")

    assert counted is not None
    assert counted[0].endswith(" 24, 25.")


def test_a_count_is_bounded_and_says_so() -> None:
    counted = count("count to 999999999")

    assert counted is not None
    numbers, is_whole = counted
    assert not is_whole
    assert len(numbers.split()) == DEMO_COUNT_MAX


@pytest.mark.parametrize(
    "question", ["count", "count to many", "How do you count tokens to bill 5 users", "счёт до"]
)
def test_other_questions_are_not_counted(question: str) -> None:
    assert count(question) is None


@pytest.mark.parametrize(
    ("message", "language", "first", "last"),
    [
        ("list the days of the week", "en", "1. Monday", "7. Sunday"),
        ("What are the months?", "en", "1. January", "12. December"),
        ("перечисли дни недели", "ru", "1. понедельник", "7. воскресенье"),
        ("Make a list: apples, pears and plums", "en", "- apples", "- plums"),
        ("list apples, pears, plums", "en", "- apples", "- plums"),
        ("составь список: яблоки, груши и сливы", "ru", "- яблоки", "- сливы"),
    ],
)
def test_it_lists(message: str, language: Language, first: str, last: str) -> None:
    items = (listed(message, language) or "").split("\n")

    assert (items[0], items[-1]) == (first, last)


@pytest.mark.parametrize(
    "message",
    ["list cats and dogs", "list the commands", "what is a list?", "list: " + "a, " * 100_000],
)
def test_other_lists_are_left_alone(message: str) -> None:
    assert listed(message, "en") is None
