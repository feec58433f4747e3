"""The EventSource of a browser: the page in `docs/clients/eventsource.md`, over a cut line."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.cutting_proxy import CuttingProxy
from tests.browser.origin import Origin
from tests.integration.harness import running_server
from tests.integration.pages import pages

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBERS = ", ".join(map(str, range(1, 301))) + "."


async def test_event_source_comes_back_by_itself(browser: Browser, tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    context = await browser.new_context()
    settings = {"POTOK_CORS_ORIGINS": origin.url, "POTOK_DEMO_TOKENS_PER_SECOND": "300"}
    try:
        async with (
            running_server(tmp_path / "data", **settings) as server,
            CuttingProxy(server.port) as proxy,
        ):
            address = proxy.url.removeprefix("http://")
            page_text = pages()["eventsource"].program("html", address=address)
            (tmp_path / "page.html").write_text(page_text)
            page = await context.new_page()
            await page.goto(f"{origin.url}/page.html")
            for length in (40, 120):
                await page.wait_for_function(f"answer.textContent.length > {length}")
                proxy.cut()
                proxy.mend()
            await expect(page.locator("#answer")).to_have_text(NUMBERS, timeout=20_000)
            assert await page.title() == "finished"
    finally:
        await context.close()
        origin.close()


async def test_its_stop_button_ends_the_run(browser: Browser, tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    context = await browser.new_context()
    settings = {"POTOK_CORS_ORIGINS": origin.url, "POTOK_DEMO_TOKENS_PER_SECOND": "60"}
    try:
        async with running_server(tmp_path / "data", **settings) as server:
            program = pages()["eventsource"].program("html", address=f"127.0.0.1:{server.port}")
            (tmp_path / "page.html").write_text(program)
            page = await context.new_page()
            await page.goto(f"{origin.url}/page.html")
            await page.wait_for_function("answer.textContent.length > 10")
            await page.click("#stop")
            await page.wait_for_function("document.title === 'cancelled'")
    finally:
        await context.close()
        origin.close()
