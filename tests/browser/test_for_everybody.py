"""Phones, keyboards, screen readers, both languages, both themes, a server with a key."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Opens
from tests.browser.visitor import LONG, words
from tests.integration.harness import Server, running_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE = "Повтори: " + "\n\n".join(
    [
        "| " + " | ".join(f"столбец-{number}" for number in range(12)) + " |\n" + "|---" * 12 + "|",
        "```\n" + "x" * 300 + "\n```",
        "очень" * 60,
    ]
)
COUNT_ANNOUNCEMENTS = """() => {
  window.said = [];
  const region = document.querySelector("[data-testid=announcer]");
  new MutationObserver(() => said.push(region.innerText))
    .observe(region, { childList: true, subtree: true, characterData: true });
}"""


@pytest.mark.parametrize("width", [320, 390])
async def test_a_phone_never_scrolls_sideways(width: int, server: Server, visit: Opens) -> None:
    phone = {"viewport": {"width": width, "height": 780}, "is_mobile": True, "has_touch": True}
    visitor = await visit(server.url, **phone)

    async def widths() -> list[int]:
        found: list[int] = await visitor.page.evaluate(
            "[innerWidth, document.documentElement.scrollWidth]"
        )
        return found

    assert await widths() == [width, width]
    await visitor.shoot("phone-welcome")
    await visitor.ask(WIDE)
    await visitor.until_ended()

    assert await widths() == [width, width]
    await visitor.shoot("phone-wide")


async def test_the_keyboard_alone_is_enough(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    page = visitor.page
    await page.reload()
    await page.wait_for_selector("select:enabled")

    # It can be written at once; Shift+Enter is a new line, Enter sends, Esc stops.
    await page.keyboard.type("Повтори: раз")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.insert_text(words(400))
    await page.keyboard.press("Enter")
    await visitor.until_words(5)
    await page.keyboard.press("Escape")
    text = await visitor.until_ended()
    assert text.startswith("раз")
    assert len(text.split()) < 400

    # Everything that can be clicked is reached by Tab, and seen when it is.
    reached = []
    for _ in range(16):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "() => { const at = document.activeElement;"
            " return at.getAttribute('aria-label') ?? at.innerText; }"
        )
        reached.append(name.strip())
    for wanted in ("К полю сообщения", "Новый чат", "English", "Копировать ответ", "Модель"):
        assert wanted in reached
    await page.keyboard.press("Tab")


async def test_a_screen_reader_hears_turns_and_not_tokens(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    await visitor.page.evaluate(COUNT_ANNOUNCEMENTS)

    await visitor.ask(f"Повтори: {LONG}")
    await visitor.until_ended()
    await expect(visitor.page.get_by_test_id("announcer")).to_contain_text("Ответ готов")

    said = [text for text in await visitor.page.evaluate("window.said") if text]
    assert 2 <= len(said) <= 5
    log = visitor.page.get_by_role("log")
    assert await log.get_attribute("aria-live") == "off"
    await expect(log.locator("article")).to_have_count(2)


async def test_a_busy_page_keeps_what_is_typed(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    await visitor.ask(f"Повтори: {LONG}")
    field = visitor.page.locator("#message-field")

    await field.fill("Ещё вопрос")
    await field.press("Enter")

    await expect(visitor.page.get_by_role("alert")).to_contain_text("По одному ответу за раз")
    await expect(field).to_have_value("Ещё вопрос")
    assert await visitor.until_ended() == LONG


async def test_the_page_speaks_the_visitors_language_and_can_change_it(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url, locale="en-GB")
    heading = visitor.page.locator(".welcome h2").first
    await expect(heading).to_have_text("What would you like to know?")
    await visitor.shoot("welcome-en")

    await visitor.page.get_by_role("button", name="Русский").click()
    await expect(heading).to_have_text("О чём рассказать?")
    await visitor.page.reload()

    await expect(heading).to_have_text("О чём рассказать?")
    assert await visitor.page.locator("html").get_attribute("lang") == "ru"
    await visitor.shoot("welcome-ru")


async def test_the_page_is_dark_where_the_system_is_and_where_it_is_wished(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url, color_scheme="dark")

    async def brightness() -> int:
        colour: str = await visitor.page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        return sum(int(part) for part in colour.strip("rgb()").split(",")[:3])

    assert await brightness() < 150
    await visitor.shoot("welcome-dark")
    await visitor.page.get_by_role("button", name="Тема: как в системе").click()
    assert await brightness() > 600


async def test_the_page_is_honest_about_the_demo_model(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    note = visitor.page.locator(".welcome .demo-note")

    await expect(note).to_contain_text("не является языковой моделью")
    await expect(note).to_contain_text("OPENAI_API_KEY=sk-... make serve")
    await expect(note).to_contain_text("ollama run")
    await visitor.page.get_by_role("button", name="демо, не языковая модель").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.page.get_by_role("dialog")).to_have_count(0)


async def test_a_server_with_a_key_is_opened_by_it_alone(tmp_path: Path, visit: Opens) -> None:
    async with running_server(tmp_path / "data", POTOK_API_KEY="key-42") as server:
        visitor = await visit(server.url, open_waits=False)
        page = visitor.page
        await visitor.shoot("key")
        await page.fill("#key", "wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("Это не тот ключ.")

        await page.fill("#key", "key-42")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("select:enabled")
        await visitor.ask("Повтори: открыто")

        assert await visitor.until_ended() == "открыто"
        assert "key-42" not in page.url
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/v1/models")).status_code == 401
            assert (await client.get("/")).status_code == 200
