"""Which language a question is in, and which of its words are the same word."""

import pytest

from potok.models.demo.language import (
    is_readable,
    is_weak,
    language_of,
    related_terms,
    stem,
    terms_of,
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is Potok?", "en"),
        ("Что такое Potok?", "ru"),
        ("Что такое SSE и Last-Event-ID?", "ru"),
        ("Potok — что это?", "ru"),
        ("Переведи: the quick brown fox jumps over the lazy dog", "ru"),
        ("How do you say привет?", "en"),
        ("Bonjour", "en"),
    ],
)
def test_the_language_is_that_of_the_question(text: str, language: str) -> None:
    assert language_of(text, default="en") == language
    assert language_of(text, default="ru") == language


@pytest.mark.parametrize(("default", "language"), [("ru", "ru"), ("ru-RU", "ru"), ("de", "en")])
@pytest.mark.parametrize("text", ["", "🙂", "2 + 2", "你好"])
def test_without_letters_of_either_the_request_decides(
    text: str, default: str, language: str
) -> None:
    assert language_of(text, default=default) == language


@pytest.mark.parametrize(
    "forms",
    [
        "поток потока потоки потоком потоков",
        "отменить отмена отменять отменяется",
        "событие события событий событиями",
        "ключ ключи ключом ключа",
        "продолжить продолжение продолжается",
        "подключить подключение подключаю",
        "cancel cancels cancelled cancelling canceled",
        "resume resumed resuming resumes",
        "connect connects connected connection connecting",
        "stop stops stopped stopping",
        "retry retries",
        "model models",
    ],
)
def test_forms_of_one_word_share_their_stem(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1


@pytest.mark.parametrize("words", ["story store", "запуск запах", "ключ клич"])
def test_different_words_keep_different_stems(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 2


def test_stop_words_are_no_terms() -> None:
    assert terms_of("What is the place of an event in it?") == ["plac", "event"]
    assert terms_of("Как мне его отменить, пожалуйста?") == ["отмен"]


def test_yo_is_ye() -> None:
    assert terms_of("Ёлка зелёная") == terms_of("елка зеленая")


def test_related_terms_cross_the_languages() -> None:
    assert stem("зовут") in related_terms(stem("name"))
    assert related_terms("offset") == ()


def test_a_weak_term_says_little() -> None:
    assert is_weak(stem("works"))
    assert not is_weak(stem("cancel"))


@pytest.mark.parametrize(("text", "readable"), [("a", True), ("Я", True), ("你好", False)])
def test_only_latin_and_cyrillic_can_be_read(text: str, readable: bool) -> None:
    assert is_readable(text) is readable
