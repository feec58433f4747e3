"""What somebody sees of an answer: it grows, it can be stopped, it can fail and be asked again."""

import asyncio
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from potok.testing.upstream import Script, ScriptedUpstream
from tests.browser.conftest import Opens
from tests.browser.visitor import LONG, words
from tests.integration.harness import Server, running_server, upstream_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKDOWN = """# Заголовок

Слово **жирное** и `код`, [ссылка](https://example.com/x) и [ловушка](javascript:alert(1)).

<img src="https://evil.example/x.png" onerror="alert(1)"> ![картинка](https://evil.example/y.png)

```python
print("привет")
```

| один | два |
|---|---|
| 1 | 2 |
"""


async def test_an_answer_grows_token_by_token_behind_a_cursor(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    await visitor.ask(f"Повтори: {LONG}")
    await visitor.until_words(1)
    seen = []

    while await visitor.page.locator(".cursor").count():
        seen.append(await visitor.shown())
        await asyncio.sleep(0.05)
        if len(seen) == 12:
            await visitor.shoot("growing")

    assert len(set(seen)) >= 10
    assert all(LONG.startswith(text) for text in seen)
    assert [len(text) for text in seen] == sorted(len(text) for text in seen)
    assert await visitor.until_ended() == LONG
    assert await visitor.violations() == []


async def test_the_cursor_blinks_unless_motion_is_not_wanted(server: Server, visit: Opens) -> None:
    async def animation(**options: str) -> str:
        visitor = await visit(server.url, **options)
        await visitor.ask(f"Повтори: {words(20)}")
        cursor = visitor.page.locator(".cursor").first
        name: str = await cursor.evaluate("(element) => getComputedStyle(element).animationName")
        return name

    assert await animation() == "blink"
    assert await animation(reduced_motion="reduce") == "none"


async def test_stop_closes_the_upstream_and_keeps_the_text(tmp_path: Path, visit: Opens) -> None:
    script = Script(tokens=tuple(f"w{number} " for number in range(400)), interval_seconds=0.02)
    async with (
        ScriptedUpstream(script) as upstream,
        running_server(tmp_path / "data", **upstream_of(upstream)) as server,
    ):
        visitor = await visit(server.url)
        await visitor.ask("Hello")
        await visitor.until_words(10)

        await visitor.page.get_by_role("button", name="Отменить").click()

        call = await upstream.until_call(1)
        async with asyncio.timeout(5):
            await call.closed_by_client.wait()
        text = await visitor.until_ended()
        assert call.tokens_after_close == 0
        assert 10 <= len(text.split()) < 200
        await expect(visitor.page.get_by_text("Остановлено. Написанное сохранено.")).to_be_visible()
        await visitor.shoot("stopped")


async def test_a_failed_answer_says_why_and_is_asked_again(tmp_path: Path, visit: Opens) -> None:
    refusal = Script(status=400, body=b'{"error": {"message": "the model is not in the mood"}}')
    async with (
        ScriptedUpstream(refusal, Script(tokens=("All ", "is ", "well."))) as upstream,
        running_server(tmp_path / "data", **upstream_of(upstream)) as server,
    ):
        visitor = await visit(server.url, locale="en-US")
        await visitor.ask("Hello")
        await expect(visitor.page.get_by_text("There is no answer.")).to_be_visible()
        await visitor.shoot("failed")

        await visitor.page.get_by_role("button", name="Try again").click()

        assert await visitor.until_shown(lambda text: text != "") == "All is well."
        await expect(visitor.page.get_by_text("There is no answer.")).to_have_count(0)
        assert await visitor.page.locator(".message--user").count() == 1


async def test_markdown_is_painted_and_nothing_in_it_is_run_or_fetched(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url)
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.ask(f"Повтори: {MARKDOWN}")
    await visitor.until_ended()
    answer = visitor.page.locator(".markdown")

    await visitor.page.get_by_role("button", name="Копировать код").click()

    copied = await visitor.page.evaluate("navigator.clipboard.readText()")
    assert copied == 'print("привет")'
    await expect(answer.locator("h3")).to_have_text("Заголовок")
    await expect(answer.locator("strong")).to_have_text("жирное")
    await expect(answer.locator("th")).to_have_text(["один", "два"])
    links = await answer.locator("a").evaluate_all("(all) => all.map((link) => link.href)")
    # A picture elsewhere is a link: nobody there hears of the reader.
    assert links == ["https://example.com/x", "https://evil.example/y.png"]
    assert await answer.locator("img, script").count() == 0
    await visitor.shoot("markdown")


async def test_thoughts_are_shown_while_they_come_and_folded_away_after(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url)
    thoughts = visitor.page.locator(".thinking__text")
    await visitor.ask("Подумай: как остановить ответ?")
    await expect(thoughts).to_be_visible()
    await visitor.shoot("thinking")
    await visitor.until_ended()
    await expect(thoughts).to_be_hidden()

    await visitor.page.get_by_role("button", name="Ход мыслей").click()

    await expect(thoughts).to_contain_text("твёрдым правилам")


async def test_a_model_is_chosen_and_the_choice_is_kept(tmp_path: Path, visit: Opens) -> None:
    async with (
        ScriptedUpstream(Script(tokens=("from two",)), models=("one", "two")) as upstream,
        running_server(tmp_path / "data", **upstream_of(upstream)) as server,
    ):
        visitor = await visit(server.url)
        assert await visitor.page.locator("select").input_value() == "one"
        await expect(visitor.page.get_by_text("демонстрационная модель")).to_have_count(0)

        await visitor.page.select_option("select", "two")
        await visitor.page.reload()
        await visitor.ask("Hello")

        assert await visitor.until_shown(lambda text: text != "") == "from two"
        assert upstream.calls[0].body["model"] == "two"


async def test_what_was_said_before_goes_with_the_next_question(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url)
    await visitor.ask("Меня зовут Анна")
    await visitor.until_ended()

    await visitor.ask("Как меня зовут?")
    await visitor.until_shown(lambda text: "Анна" in text)

    async with httpx.AsyncClient(base_url=server.url) as client:
        state = await client.get(f"/api/runs/{(await visitor.stored())['run']}")
    assert "Анна" in state.json()["message"]["text"]


async def test_a_new_chat_is_empty_and_the_old_one_comes_back(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    await visitor.ask("Повтори: раз два")
    await visitor.until_ended()

    await visitor.page.get_by_role("button", name="Новый чат").click()
    await expect(visitor.page.locator(".message")).to_have_count(0)
    await visitor.page.get_by_role("button", name="Вернуть прошлый разговор").click()

    assert await visitor.shown() == "раз два"
