import pytest

from potok.chats.search_text import parse_query, snippet_of, words_of
from potok.limits import (
    SEARCH_QUERY_WORDS_MAX,
    SEARCH_WORD_BYTES_MAX,
    SEARCH_WORDS_BYTES_MAX,
    SEARCH_WORDS_MAX,
)


@pytest.mark.parametrize(
    "forms",
    [
        "кольцо кольца кольцом кольцу КОЛЬЦЕ",
        "ёлка елка ёлки Ёлкой",
        "ring rings RING",
        "answer answers answered answering",
        "зелёный зеленая зелёного",
    ],
)
def test_the_forms_of_a_word_are_one_word(forms: str) -> None:
    assert len(words_of(forms)) == 1


def test_words_are_plain_letters_whatever_the_text_is() -> None:
    words = words_of("naïve 東京 a_b it's 3.14 ½ ٣ עברית ﬁne e\u0301")

    assert all(word.isalnum() and word == word.lower() for word in words)
    assert {"a", "b", "3", "14", "fine"} <= set(words)


def test_words_are_bounded_in_number_and_bytes() -> None:
    many = words_of(" ".join(f"w{number}" for number in range(SEARCH_WORDS_MAX + 10)))
    long = words_of("я" * 5_000 + " " + "a" * 5_000 + " " + "東" * 10)
    heavy = words_of(" ".join(f"{number:07}{'ж' * 60}" for number in range(SEARCH_WORDS_MAX)))

    assert len(many) == SEARCH_WORDS_MAX
    assert max(len(word.encode()) for word in long) <= SEARCH_WORD_BYTES_MAX
    assert sum(len(word.encode()) for word in heavy) <= SEARCH_WORDS_BYTES_MAX


def test_the_last_word_may_be_half_typed() -> None:
    open_query = parse_query("золотое кольц")
    done_query = parse_query("золотое кольцо ")
    short_query = parse_query("золотое ко")

    assert (open_query.words, open_query.prefixes) == (("золот",), ("кольц",))
    assert (done_query.words, done_query.prefixes) == (("золот", "кольц"), ())
    assert short_query.prefixes == ()


@pytest.mark.parametrize("typed", ["", "  ", "!?", "🎉", "___"])
def test_a_query_may_hold_nothing_to_look_for(typed: str) -> None:
    assert parse_query(typed).is_empty


def test_only_the_first_words_of_a_query_count() -> None:
    assert len(parse_query("слово " * 100 + "одно " * 100).words) <= SEARCH_QUERY_WORDS_MAX


def test_a_snippet_is_one_line_around_the_word() -> None:
    content = "начало " * 100 + "вот\nкольца здесь " + "конец " * 100

    snippet = snippet_of(content, parse_query("кольцо"))

    assert "вот кольца здесь" in snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")


def test_a_snippet_of_a_short_text_is_all_of_it() -> None:
    assert snippet_of("Золотое кольцо", parse_query("кольцо")) == "Золотое кольцо"


@pytest.mark.parametrize(
    ("typed", "prefixes"), [("коль", ("кол",)), ("кольца", ("кольц",)), ("eme", ("eme",))]
)
def test_a_half_typed_word_is_looked_for_once(typed: str, prefixes: tuple[str, ...]) -> None:
    assert parse_query(typed).prefixes == prefixes
