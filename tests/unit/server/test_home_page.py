import base64
import hashlib
import re
from html.parser import HTMLParser

import msgspec
import pytest

from potok.server.home_page import CONTENT_SECURITY_POLICY, HomeFacts, render_home

DEMO = HomeFacts(
    version="1.2.3",
    address="http://127.0.0.1:8000",
    models=("demo",),
    troubles=(),
    has_only_demo=True,
    needs_key=False,
    data_folder="/home/anna/.potok",
    log_backend="sqlite",
)


class Outline(HTMLParser):
    """Collects the tags of a page, and fails on one that is not closed."""

    VOID = frozenset({"meta", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def changed(**fields: object) -> HomeFacts:
    known = {name: getattr(DEMO, name) for name in DEMO.__dataclass_fields__}
    return msgspec.convert(known | fields, HomeFacts)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_is_whole_and_has_no_script(language: str) -> None:
    outline = Outline()

    page = render_home(DEMO, language=language)
    outline.feed(page)

    assert outline.open == []
    assert "script" not in outline.tags
    assert f'<html lang="{language}">' in page
    assert "$" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_the_policy_names_the_hash_of_the_very_style() -> None:
    page = render_home(DEMO, language="en")
    style = page.partition("<style>")[2].partition("</style>")[0]

    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert " style=" not in page


def test_the_page_is_honest_about_the_demo_model_and_says_how_to_connect_another() -> None:
    english = render_home(DEMO, language="en")
    russian = render_home(DEMO, language="ru")

    assert "is no language model" in english
    assert "не является языковой моделью" in russian
    assert "OPENAI_API_KEY" in english
    assert "OPENAI_API_KEY" in russian


def test_with_a_real_model_nothing_is_said_of_the_demo() -> None:
    page = render_home(changed(models=("gpt-4o",), has_only_demo=False), language="en")

    assert "demo" not in page
    assert '"model": "gpt-4o"' in page


def test_what_a_provider_says_of_its_trouble_is_shown_as_text() -> None:
    page = render_home(changed(troubles=("openai: <b>no</b>",)), language="en")

    assert "openai: &lt;b&gt;no&lt;/b&gt;" in page


def test_strangers_see_how_to_use_a_key_and_nothing_that_the_server_holds() -> None:
    facts = changed(models=(), data_folder=None, log_backend=None, needs_key=True)

    page = render_home(facts, language="en")

    assert "Authorization: Bearer $POTOK_API_KEY" in page
    assert "Data folder" not in page
    assert "Models" not in page


def test_names_of_models_are_text_and_a_long_list_is_cut() -> None:
    names = ("<script>alert(1)</script>", *(f"m{number}" for number in range(20)))

    page = render_home(changed(models=names), language="en")

    assert "<script>" not in page
    assert "and 9 more" in page
