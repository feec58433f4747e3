"""The packaged documentation: both languages say the same things, and only what is there."""

import re

import pytest

from potok.models.demo.documents import library
from potok.models.demo.language import Language
from potok.models.demo.pieces import split_pieces

BOTH: tuple[Language, ...] = ("en", "ru")


def test_both_languages_have_the_same_passages() -> None:
    english, russian = library("en"), library("ru")

    assert english.topics == russian.topics
    for one, other in zip(english.passages, russian.passages, strict=True):
        # Commands, paths and settings are the same words in both.
        assert sorted(_code(one.text)) == sorted(_code(other.text)), (one.title, other.title)


def _code(text: str) -> list[str]:
    marked = re.findall(r"`([A-Z]{3,}[A-Z_]*|/[^` ]*|potok [a-z]+|[a-z_-]+)`", text)
    return [code for code in marked if code not in ("event", "data", "id", "address")]


@pytest.mark.parametrize("language", BOTH)
def test_every_passage_has_a_title_a_text_and_keywords(language: Language) -> None:
    for passage in library(language).passages:
        assert passage.title
        assert passage.keywords, passage.title
        assert passage.text.endswith((".", "```")), passage.title
        assert "<!--" not in passage.text


@pytest.mark.parametrize("language", BOTH)
def test_titles_are_distinct(language: Language) -> None:
    titles = [passage.title for passage in library(language).passages]

    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("language", BOTH)
def test_there_is_enough_for_a_long_answer(language: Language) -> None:
    pieces = sum(len(split_pieces(passage.text)) for passage in library(language).passages)

    assert pieces > 2_000


@pytest.mark.parametrize("language", BOTH)
def test_paragraphs_are_unwrapped_and_code_is_not(language: Language) -> None:
    passages = {passage.text.count("```"): passage.text for passage in library(language).passages}

    assert set(passages) == {0, 2}
    code = passages[2].split("```")[1]
    assert code.count("\n") >= 2
    assert "\n" not in library(language).passages[0].text


def test_a_library_is_read_once() -> None:
    assert library("en") is library("en")
