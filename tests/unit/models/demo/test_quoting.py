"""Quotation marks, and sentences said back to the one who wrote them."""

import pytest

from potok.models.demo.language import Language
from potok.models.demo.quoting import capitalised, quoted, second_person, shortened


@pytest.mark.parametrize(
    ("text", "language", "quote"),
    [
        ("It is nine.", "en", "“It is nine.”"),
        ("It is nine", "en", "“It is nine.”"),
        ("Is it?", "en", "“Is it?”"),
        ("He said “no”.", "en", "«He said “no”.»"),
        ("Уже девять.", "ru", "«Уже девять»."),
        ("Уже девять!", "ru", "«Уже девять!»"),
        ("Это «Ладога».", "ru", "„Это «Ладога»“."),
    ],
)
def test_a_quote_has_the_marks_of_its_language(text: str, language: Language, quote: str) -> None:
    assert quoted(text, language) == quote


@pytest.mark.parametrize(
    ("sentence", "language", "said"),
    [
        ("My name is Anna.", "en", "your name is Anna"),
        ("I'm 30 years old.", "en", "you are 30 years old"),
        ("Hello, I live in Omsk", "en", "you live in Omsk"),
        ("Remember that my dog is Rex", "en", "your dog is Rex"),
        ("Anna is my sister.", "en", "Anna is your sister"),
        ("Меня зовут Анна.", "ru", "вас зовут Анна"),
        ("Мою собаку зовут Рекс", "ru", "вашу собаку зовут Рекс"),
        ("Кстати, я живу в Омске.", "ru", "вы живёте в Омске"),
        ("Мне 30 лет.", "ru", "вам 30 лет"),
    ],
)
def test_a_sentence_about_its_writer_is_turned(
    sentence: str, language: Language, said: str
) -> None:
    assert second_person(sentence, language) == said


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("The shop opens at nine.", "en"),
        ("I told you so.", "en"),
        ("We like my house.", "en"),
        ("My name: Anna", "en"),
        ("Я устала.", "ru"),
        ("Я уже говорила тебе.", "ru"),
        ("Магазин открыт.", "ru"),
        ("0 İ", "en"),
        ("", "en"),
    ],
)
def test_a_sentence_that_could_come_out_wrong_is_not_turned(
    sentence: str, language: Language
) -> None:
    assert second_person(sentence, language) in (None, "0 İ")


def test_a_long_text_is_cut_between_words() -> None:
    assert shortened("one two\nthree", 9) == "one two …"
    assert shortened("one\ntwo", 9) == "one two"


def test_a_sentence_begins_with_a_capital() -> None:
    assert capitalised("ваш дом") == "Ваш дом"
    assert capitalised("") == ""
