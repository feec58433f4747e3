"""The demo model's own sentences."""

import re
from dataclasses import fields

import pytest

from potok.models.demo.phrases import PHRASES, Phrases

NAMES = [field.name for field in fields(Phrases)]


@pytest.mark.parametrize("name", NAMES)
def test_a_phrase_takes_the_same_in_both_languages(name: str) -> None:
    english, russian = getattr(PHRASES["en"], name), getattr(PHRASES["ru"], name)

    assert len(re.findall("{}", str(english))) == len(re.findall("{}", str(russian)))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("quotes")])
def test_a_phrase_is_in_its_language_and_has_an_end(name: str) -> None:
    english, russian = getattr(PHRASES["en"], name), getattr(PHRASES["ru"], name)

    assert re.search("[а-яё]", russian)
    assert not re.search("[а-яё]", english)
    for phrase in (english, russian):
        assert re.search(r"[.!?:»”}]$", phrase)
