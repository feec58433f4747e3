"""The word lists, as they are packaged."""

from pathlib import Path

import pytest

from potok.models.demo import vocabulary
from potok.models.demo.language import plain

LISTS = sorted((Path(vocabulary.__file__).parent / "words").glob("*.txt"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_list_is_in_plain_lower_case(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    words = [line for line in text.split("\n") if not line.startswith("#")]

    assert words == [plain(line) for line in words]


def test_a_section_keeps_its_lines_in_order() -> None:
    assert vocabulary.lines_of("arithmetic", "numbers")[:2] == (
        "0 zero ноль нуля",
        "1 one один одного одна одну",
    )


def test_the_words_of_a_section_are_all_words_of_its_lines() -> None:
    assert {"hello", "привет"} <= vocabulary.words_in("small_talk", "greetings")


def test_an_unknown_section_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        vocabulary.lines_of("small_talk", "insults")
