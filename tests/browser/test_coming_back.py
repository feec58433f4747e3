"""Reloads, cut lines, other tabs and a killed server: no word is lost, and none comes twice."""

import asyncio
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import TOKENS_PER_SECOND, Opens
from tests.browser.cutting_proxy import CuttingProxy
from tests.browser.visitor import LONG, SECONDS_MAX, words
from tests.integration.harness import Server, running_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_SOCKETS = """
window.WebSocket = class extends EventTarget {
  constructor() { super(); setTimeout(() => { this.onerror?.({}); this.onclose?.({}); }); }
  close() {}
};
"""


async def test_a_reload_in_the_middle_goes_on_with_the_same_run(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url)
    await visitor.ask(f"Повтори: {LONG}")
    shown = await visitor.until_words(15)
    run = (await visitor.stored())["run"]

    await visitor.page.reload()
    first = await visitor.until_words(1)

    assert len(first) >= len(shown)
    assert await visitor.until_ended() == LONG
    assert (await visitor.stored())["run"] == run
    async with httpx.AsyncClient(base_url=server.url) as client:
        runs = (await client.get("/api/runs")).json()["items"]
    assert [one["id"] for one in runs].index(run) == 0
    assert await visitor.violations() == []


async def test_a_reload_before_the_server_has_named_the_run_starts_no_second_one(
    server: Server, visit: Opens
) -> None:
    async with CuttingProxy(server.port) as proxy:
        visitor = await visit(proxy.url)
        proxy.hold_seconds = 0.4
        await visitor.ask(f"Повтори: {words(10)} раз-и-только-раз")
        assert (await visitor.stored())["run"] is None

        await visitor.page.reload()

        await visitor.until_shown(lambda text: text.endswith("раз-и-только-раз"))
        async with httpx.AsyncClient(base_url=server.url) as client:
            runs = (await client.get("/api/runs")).json()["items"]
            states = [(await client.get(f"/api/runs/{one['id']}")).json() for one in runs[:5]]
        texts = [state["message"]["text"] for state in states]
        assert sum("раз-и-только-раз" in text for text in texts) == 1


async def test_a_cut_line_is_said_and_mended_without_a_lost_word(
    server: Server, visit: Opens
) -> None:
    async with CuttingProxy(server.port) as proxy:
        visitor = await visit(proxy.url)
        banner = visitor.page.locator(".banner")
        await visitor.ask(f"Повтори: {LONG}")
        await visitor.until_words(10)

        proxy.cut()
        await expect(banner).to_have_text("Связь потеряна. Подключаюсь снова…")
        await visitor.shoot("cut")
        proxy.mend()

        await expect(banner).to_have_text("Связь восстановлена.")
        assert await visitor.until_ended() == LONG
        await expect(banner).to_have_count(0)


async def test_without_a_network_the_page_says_so(server: Server, visit: Opens) -> None:
    async with CuttingProxy(server.port) as proxy:
        visitor = await visit(proxy.url, locale="en-US")
        await visitor.ask(f"Repeat: {LONG}")
        await visitor.until_words(5)

        await visitor.context.set_offline(True)
        proxy.cut()
        await expect(visitor.page.locator(".banner")).to_contain_text("No network.")
        proxy.mend()
        await visitor.context.set_offline(False)

        assert await visitor.until_ended() == LONG


async def test_a_second_tab_reads_along_and_can_stop(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    await visitor.ask(f"Повтори: {words(400)}")
    await visitor.until_words(5)

    second = await visitor.open_tab()
    early = await visitor.until_words(5, second)
    later = await visitor.until_words(len(early.split()) + 10, second)
    await second.keyboard.press("Escape")
    texts = [await visitor.until_ended(page) for page in (visitor.page, second)]

    assert later.startswith(early)
    assert texts[0] == texts[1]
    assert words(400).startswith(texts[0])
    assert len(texts[0].split()) < 400
    await expect(visitor.page.get_by_text("Остановлено.")).to_be_visible()


async def test_a_question_of_one_tab_comes_to_the_others(server: Server, visit: Opens) -> None:
    visitor = await visit(server.url)
    tabs = [visitor.page, *await asyncio.gather(*(visitor.open_tab() for _ in range(7)))]

    await visitor.ask(f"Повтори: {LONG}", tabs[3])
    texts = [await visitor.until_shown(lambda text: text == LONG, tab) for tab in tabs]

    assert texts == [LONG] * 8
    assert sorted(visitor.sockets.count(tab) for tab in tabs) == [1] * 8


async def test_a_killed_server_goes_on_where_it_was(tmp_path: Path, visit: Opens) -> None:
    text = words(90)
    folder = tmp_path / "data"
    async with running_server(folder, POTOK_DEMO_TOKENS_PER_SECOND=TOKENS_PER_SECOND) as server:
        visitor = await visit(server.url)
        await visitor.ask(f"Повтори: {text}")
        await visitor.until_words(15)

        await server.kill()
        await expect(visitor.page.locator(".banner")).to_be_visible()
        await server.start()

        await visitor.until_shown(lambda shown: shown == text)
        assert await visitor.until_ended() == text
        await visitor.shoot("after-kill")


async def test_where_no_socket_comes_through_http_carries_the_answer(
    server: Server, visit: Opens
) -> None:
    visitor = await visit(server.url)
    await visitor.context.add_init_script(NO_SOCKETS)
    await visitor.page.reload()
    await visitor.page.wait_for_selector("select:enabled")

    await visitor.ask(f"Повтори: {LONG}")

    assert await visitor.until_shown(lambda text: text == LONG) == LONG
    await expect(visitor.page.locator(".banner")).to_have_count(0)
    await visitor.ask(f"Повтори: {words(400)}")
    await visitor.until_words(5)
    await visitor.page.get_by_role("button", name="Отменить").click()
    assert len((await visitor.until_ended()).split()) < 400


async def test_a_line_that_holds_the_stream_back_is_said(server: Server, visit: Opens) -> None:
    async with CuttingProxy(server.port) as proxy:
        visitor = await visit(proxy.url)
        proxy.hold_seconds = 1.2

        await visitor.ask(f"Повтори: {words(400)}")

        await expect(visitor.page.locator(".banner")).to_contain_text(
            "proxy_buffering off", timeout=SECONDS_MAX * 1000
        )
        await visitor.shoot("held-back")
        await visitor.page.keyboard.press("Escape")
