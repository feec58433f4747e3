"""Answers out of Potok's documentation: each question of a newcomer finds its passage."""

import pytest

from potok.models.demo.documents import library
from potok.models.demo.language import Language
from potok.models.demo.pieces import split_pieces
from tests.unit.models.demo.asking import answer, plan


def passage(title: str, language: Language) -> str:
    return next(one.text for one in library(language).passages if one.title == title)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is Potok?", "What Potok is"),
        ("potok", "What Potok is"),
        ("How do I start the server?", "How to start Potok"),
        ("how do I stop the server?", "How to stop the server"),
        ("How do I resume a stream?", "How to resume a stream"),
        ("Hi! how can I reconnect with last-event-id", "How to resume a stream"),
        ("cancel", "How to cancel or stop a run"),
        ("How do I stop a run?", "How to cancel or stop a run"),
        ("What happens when my tab is closed?", "When a page is reloaded or the network fails"),
        ("What if the server crashes?", "When the server crashes or restarts"),
        ("What does Idempotency-Key do?", "What an Idempotency-Key does"),
        ("how do i use my openai key", "How to connect a real model with a key"),
        ("how do I connect gpt-4?", "How to connect a real model with a key"),
        ("can i use it with my own vllm server", "Other providers and local models"),
        ("Does it work with the OpenAI SDK?", "How to use the OpenAI SDK with Potok"),
        ("Which protocols does it speak?", "Which protocols Potok speaks"),
        ("what are the promises of Potok?", "The promises in short"),
        ("list the commands", "The commands"),
        ("which database do you use", "Where runs are stored"),
        ("Which port does it listen on?", "Settings"),
        ("Who can read my runs?", "Who may read a run"),
        ("is it free?", "Licence and price"),
        ("what is an offset", "Offset"),
        ("What is streaming?", "Stream"),
    ],
)
def test_a_question_about_potok_finds_its_passage(question: str, title: str) -> None:
    paragraphs = answer(question).partition("\n\n")[2]

    assert paragraphs.startswith(passage(title, "en"))


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Что такое Potok?", "Что такое Potok"),
        ("Как установить и запустить?", "Как запустить Potok"),
        ("Как остановить сервер?", "Как остановить сервер"),
        ("как возобновить поток", "Как продолжить поток"),
        ("Как продолжить чтение после обрыва?", "Как продолжить поток"),
        ("Как отменить запуск?", "Как отменить или остановить запуск"),
        ("Что если закрыть вкладку?", "Если страницу перезагрузили или пропала сеть"),
        ("что будет, если сервер упадёт?", "Если сервер упал или перезапустился"),
        ("идемпотентность", "Зачем нужен Idempotency-Key"),
        ("Как подключить GPT?", "Как подключить настоящую модель по ключу"),
        ("Какие протоколы поддерживаются?", "Какие протоколы понимает Potok"),
        ("Что обещает Potok?", "Обещания коротко"),
        ("Какие есть команды?", "Команды"),
        ("какая база данных используется", "Где хранятся запуски"),
        ("сколько это стоит", "Лицензия и цена"),
        ("что такое смещение?", "Смещение"),
        (
            "почему ответ всегда одинаковый?",
            "Почему демонстрационная модель всегда отвечает одинаково",
        ),
    ],
)
def test_a_russian_question_about_potok_finds_its_passage(question: str, title: str) -> None:
    paragraphs = answer(question).partition("\n\n")[2]

    assert paragraphs.startswith(passage(title, "ru"))


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "How does photosynthesis work?",
        "How do I cancel my gym membership?",
        "What is a network?",
        "what time is it?",
        "Столица Франции?",
        "который час?",
        "какая погода в Москве",
    ],
)
def test_a_question_about_the_world_finds_nothing(question: str) -> None:
    assert plan(question).rule == "unknown"


def test_an_introduction_fits_the_question() -> None:
    assert answer("How do I cancel a run?").startswith("This is how")
    assert answer("What is Potok?").startswith("Potok's documentation puts it like this.")
    assert answer("cancel").startswith("Here is what")


def test_related_passages_are_named_by_their_titles() -> None:
    titles = {one.title for one in library("en").passages}

    last = answer("How do I cancel a run?").rpartition("\n\n")[2]

    named = last.removeprefix("Related: “").removesuffix("”.").split("”, “")
    assert last.startswith("Related: ")
    assert set(named) <= titles


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Tell me about Potok in detail", "What Potok is"),
        ("Расскажи о Potok подробно", "Что такое Potok"),
        ("How do I cancel a run? In detail please", "How to cancel or stop a run"),
    ],
)
def test_a_long_answer_begins_with_what_fits_and_is_long(question: str, first: str) -> None:
    said = answer(question)

    assert said.partition("### ")[2].startswith(first)
    assert 300 <= len(split_pieces(said)) < 800


def test_all_the_documentation_ends_with_a_word_about_it() -> None:
    said = answer("Tell me about Potok in 9999 words")

    assert said.endswith("That is all that I have to say about Potok.")
    assert said.count("### ") == len(library("en").passages)
