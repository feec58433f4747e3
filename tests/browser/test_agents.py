"""The agents' page: voices side by side, charts, pieces, a questionnaire, stages with live code."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.browser.conftest import Opens
from tests.browser.visitor import Visitor
from tests.integration.harness import Server, running_server, upstream_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOTH = "Дай анализ продаж и покажи модные тренды"
RING = "Золотое кольцо на годовщину до 100 тысяч"
VOICES = """() => Object.fromEntries(
  [...[...document.querySelectorAll(".message--assistant")].at(-1)
    .querySelectorAll(".voice")].map((voice) => {
      const box = voice.getBoundingClientRect();
      const text = voice.querySelector(".markdown")?.innerText.replaceAll("▋", "").trim() ?? "";
      return [voice.dataset.agent, { x: box.x, y: box.y, text }];
    }))"""


async def voices_of(page: Page) -> dict[str, dict[str, Any]]:
    """Return place and text of each voice of the newest answer, by its agent."""
    found: dict[str, dict[str, Any]] = await page.evaluate(VOICES)
    return found


async def stored_at(visitor: Visitor, desk: str) -> dict[str, Any]:
    """Return the newest answer of a desk as this browser keeps it."""
    answer: dict[str, Any] = await visitor.page.evaluate(
        "(name) => JSON.parse(localStorage[name]).exchanges.at(-1).answer",
        f"potok.desk.{desk}.conversation",
    )
    return answer


async def until_both_speak(visitor: Visitor, characters: int = 60) -> dict[str, dict[str, Any]]:
    await visitor.page.wait_for_function(
        "(characters) => { const voices = [...document.querySelectorAll('.voice .markdown')];"
        " return voices.length === 2"
        " && voices.every((voice) => voice.innerText.length > characters); }",
        arg=characters,
    )
    return await voices_of(visitor.page)


async def test_two_agents_write_side_by_side_and_then_show_their_charts(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(f"{server.url}/agents")
    page = visitor.page
    await visitor.ask(BOTH)

    early = await until_both_speak(visitor)
    await expect(page.locator(".voice .cursor")).to_have_count(2)
    assert set(early) == {"analysis", "trend"}
    assert early["analysis"]["y"] == early["trend"]["y"]
    assert early["trend"]["x"] > early["analysis"]["x"] + 300
    await visitor.shoot("side-by-side")
    await visitor.until_ended()

    ended = await voices_of(page)
    assert all(ended[agent]["text"].startswith(early[agent]["text"]) for agent in early)
    segments = page.locator(".voice[data-agent=analysis] .chart--segments tbody tr")
    await expect(segments).to_have_count(6)
    await expect(segments.first).to_contain_text("Чемпионы")
    forecast = page.get_by_role("img", name="Выручка по месяцам и прогноз")
    await expect(forecast).to_be_visible()
    await expect(page.locator(".chart--forecast tbody tr")).to_have_count(3)
    trends = page.locator(".voice[data-agent=trend] .chart--trends tbody tr")
    assert await trends.count() > 5
    await expect(trends.filter(has_text="набирает силу").first).to_be_visible()
    await expect(page.get_by_text("Почему они:")).to_contain_text("аналитик")
    await visitor.shoot("charts")
    assert await visitor.violations() == []


async def test_a_consultation_shows_cards_of_pieces_that_are_there_after_a_reload(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(f"{server.url}/agents")
    page = visitor.page
    await page.get_by_role("button", name=RING).click()
    await visitor.until_ended()
    cards = page.locator(".product")
    await expect(cards.first).to_contain_text("в наличии")
    ids = await cards.evaluate_all("(cards) => cards.map((card) => card.dataset.product)")
    metadata = (await stored_at(visitor, "jewelry"))["message"]["parts"][-1]["data"]

    assert ids == metadata["recommendations"]
    prices = [await card.locator("strong").inner_text() for card in await cards.all()]
    assert all(price.endswith("₽") for price in prices)
    assert await cards.first.locator("svg").count() == 1
    await page.reload()

    await expect(cards).to_have_count(len(ids))
    await visitor.shoot("cards")
    assert await visitor.violations() == []


async def test_a_reload_in_the_middle_keeps_both_voices_and_goes_on_with_the_same_run(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(f"{server.url}/agents")
    await visitor.ask(BOTH)
    early = await until_both_speak(visitor, 100)
    run = (await stored_at(visitor, "jewelry"))["run"]

    await visitor.page.reload()
    first = await until_both_speak(visitor, 1)
    await visitor.until_ended()

    ended = await voices_of(visitor.page)
    for agent in ("analysis", "trend"):
        assert len(first[agent]["text"]) >= len(early[agent]["text"])
        assert ended[agent]["text"].startswith(early[agent]["text"])
    await expect(visitor.page.locator(".chart--segments")).to_be_visible()
    assert (await stored_at(visitor, "jewelry"))["run"] == run
    async with httpx.AsyncClient(base_url=server.url) as client:
        message = (await client.get(f"/api/runs/{run}")).json()["message"]
    told = [part["text"] for part in message["parts"] if part.get("agent") == "trend"]
    assert ended["trend"]["text"].split() == "".join(told).split()


async def test_the_taste_test_is_answered_by_buttons_across_a_reload(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(f"{server.url}/agents")
    page = visitor.page
    place = page.locator(".question__place")
    await page.get_by_role("button", name="Пройти тест на вкус").click()
    await expect(place).to_have_text("Вопрос 1 из 8")
    await visitor.shoot("question")

    # The button that had the focus is gone with its question; the next one has it.
    await page.get_by_role("button", name="Серебро").click()
    await expect(place).to_have_text("Вопрос 2 из 8")
    await page.reload()
    await expect(place).to_have_text("Вопрос 2 из 8")
    await page.get_by_role("button", name="Назад").click()
    await expect(place).to_have_text("Вопрос 1 из 8")
    await page.get_by_role("button", name="Платина").click()
    for number in range(2, 9):
        await expect(place).to_have_text(f"Вопрос {number} из 8")
        await page.get_by_role("button", name="Пропустить").click()

    await expect(page.locator(".product").first).to_be_visible()
    await expect(place).to_have_count(0)
    data = (await stored_at(visitor, "jewelry"))["message"]["parts"][-1]["data"]["data"]["taste"]
    assert data["is_complete"] is True
    assert "platinum" in json.dumps(data["profile"]["metals"])


async def test_stages_stand_in_lanes_with_the_code_while_it_is_written(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(f"{server.url}/agents#coding")
    page = visitor.page
    await visitor.ask("Напиши функцию, которая считает слова в тексте")
    await expect(page.locator(".lane[data-stage=coder]")).to_contain_text("работает…")
    code = page.locator(".round pre")
    seen = {await code.inner_text()}
    await page.wait_for_function(
        "(text) => document.querySelector('.round pre')?.innerText.length > text.length + 20",
        arg=max(seen, key=len),
    )
    seen.add(await code.inner_text())
    await visitor.shoot("live-code")
    await visitor.until_ended()

    assert len(seen) == 2
    await expect(page.locator(".lane.is-done")).to_have_count(3)
    await expect(page.get_by_role("tab")).to_have_text(["solution.py"])
    await expect(page.get_by_role("tabpanel")).to_contain_text("def solve")
    await expect(page.locator(".review")).to_contain_text("можно оставить · 1 круг")
    await page.reload()
    await expect(page.get_by_role("tabpanel")).to_contain_text("def solve")
    assert await visitor.violations() == []


def _as_json(value: object) -> Script:
    return Script(tokens=(json.dumps(value, ensure_ascii=False),))


def _code(result: str) -> Sequence[str]:
    return ("```python ", "count.py\n", "def count", "(text):\n", f"    return {result}\n", "```")


async def test_a_second_attempt_is_seen_beside_the_first(tmp_path: Path, visit: Opens) -> None:
    gate = Gate()
    scripts = [
        _as_json({"steps": ["Посчитать"]}),
        Script(tokens=tuple(_code("0"))),
        _as_json({"verdict": "fix", "issues": ["Считает неверно"]}),
        Script(tokens=tuple(_code("len(text.split())")), gate=gate),
        _as_json({"verdict": "ok", "issues": []}),
        Script(tokens=("Готова ", "функция.")),
    ]
    async with (
        ScriptedUpstream(*scripts) as upstream,
        running_server(tmp_path / "data", **upstream_of(upstream)) as server,
    ):
        visitor = await visit(f"{server.url}/agents#coding")
        page = visitor.page
        await visitor.ask("Посчитай слова")
        coder = page.locator(".lane[data-stage=coder]")
        await expect(coder).to_contain_text("попытка 2: работает…")
        gate.open()
        await visitor.until_ended()

        await expect(coder).to_contain_text("попытка 2: готово")
        await page.get_by_text("Что изменилось в попытке 2").click()
        await visitor.shoot("rounds")
        removed, added = page.locator(".diff .is-removed"), page.locator(".diff .is-added")
        await expect(removed).to_have_text("убрано: -     return 0")
        await expect(added).to_have_text("добавлено: +     return len(text.split())")
        await expect(page.locator(".review")).to_contain_text("2 круга")


async def test_a_stop_ends_both_voices_and_keeps_their_words(server: Server, visit: Opens) -> None:
    visitor = await visit(f"{server.url}/agents")
    await visitor.ask(BOTH)
    early = await until_both_speak(visitor)

    await visitor.page.keyboard.press("Escape")
    await visitor.until_ended()

    await expect(visitor.page.get_by_text("Остановлено.")).to_be_visible()
    await expect(visitor.page.locator(".voice__state")).to_have_text(["остановлено"] * 2)
    kept = await voices_of(visitor.page)
    assert all(kept[agent]["text"].startswith(early[agent]["text"]) for agent in early)
    run = (await stored_at(visitor, "jewelry"))["run"]
    async with httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get(f"/api/runs/{run}")).json()["status"] == "cancelled"
    await visitor.page.get_by_role("button", name="Ответить заново").click()
    await until_both_speak(visitor, 20)


async def test_on_a_phone_the_voices_stand_one_below_the_other(
    server: Server, visit: Opens
) -> None:
    phone = {"viewport": {"width": 320, "height": 780}, "is_mobile": True, "has_touch": True}
    visitor = await visit(f"{server.url}/agents", **phone)
    page = visitor.page

    async def widths() -> list[int]:
        found: list[int] = await page.evaluate(
            "() => { const list = document.querySelector('.list');"
            " return [document.documentElement.scrollWidth, list.scrollWidth]; }"
        )
        return found

    assert await widths() == [320, 320]
    await visitor.shoot("phone-welcome")
    await visitor.ask(BOTH)
    await until_both_speak(visitor, 20)
    await visitor.until_ended()

    voices = await voices_of(page)
    assert voices["analysis"]["x"] == voices["trend"]["x"]
    assert voices["analysis"]["y"] < voices["trend"]["y"]
    assert await widths() == [320, 320]
    await visitor.shoot("phone-charts")


async def test_the_keyboard_alone_is_enough_for_every_desk(server: Server, visit: Opens) -> None:
    visitor = await visit(f"{server.url}/agents#jewelry")
    page = visitor.page
    await page.locator("#message-field").focus()
    await page.keyboard.type("Пройти тест на вкус")
    await page.keyboard.press("Enter")
    await expect(page.locator(".question__place")).to_have_text("Вопрос 1 из 8")

    # Backwards from the field: the end of the answer, then the test's buttons.
    for _ in range(12):
        await page.keyboard.press("Shift+Tab")
        name = await page.evaluate("document.activeElement.innerText")
        if name == "Серебро":
            break
    await page.keyboard.press("Enter")
    await expect(page.locator(".question__place")).to_have_text("Вопрос 2 из 8")
    await expect(page.locator(".question .starter").first).to_be_focused()

    for _ in range(30):
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.hash") == "#coding":
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Что написать?")).to_be_visible()
    assert page.url.endswith("/agents#coding")
    await page.reload()
    await expect(page.get_by_role("heading", name="Что написать?")).to_be_visible()


async def test_each_desk_is_honest_and_the_pages_lead_to_each_other(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(f"{server.url}/agents")
    page = visitor.page
    await expect(page.locator(".desk-note")).to_contain_text("Демо-модель только пересказывает")
    await page.get_by_role("link", name="Переводчик").click()
    await expect(page.locator(".desk-note")).to_contain_text("не умеет переводить")
    await page.get_by_role("button", name="Поток продолжается").click()
    assert "Переводить я не умею" in await visitor.until_shown(lambda text: "не умею" in text)
    await visitor.until_ended()

    await page.get_by_role("link", name="Чат").click()
    await expect(page.get_by_role("heading", name="О чём рассказать?")).to_be_visible()
    await page.get_by_role("link", name="Агенты").click()
    await expect(page.get_by_role("heading", name="Что подобрать?")).to_be_visible()
    await expect(page).to_have_title("Агенты · Potok")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="What are you looking for?")).to_be_visible()
    async with httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/agents/x")).status_code == 404
