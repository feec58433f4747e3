"""One browser and one server for all tests of the page; each test has a profile of its own."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from potok.server.static_ui import UI_FOLDER
from tests.browser.visitor import Visitor
from tests.integration.harness import Server, running_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
# Slow enough to be caught in the middle, fast enough for many tests.
TOKENS_PER_SECOND = "120"

Opens = Callable[..., Awaitable[Visitor]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium (package chromium) to test the page in")
    if not (UI_FOLDER / "index.html").exists():
        pytest.skip("the page is not built; scripts/web-build builds it")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    async with running_server(folder, POTOK_DEMO_TOKENS_PER_SECOND=TOKENS_PER_SECOND) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, tmp_path: Path) -> AsyncIterator[Opens]:
    """Open a server's page as somebody new; at the end, look at what no page may ever do."""
    async with AsyncExitStack() as stack:
        visitors: list[Visitor] = []

        async def open_page(url: str, *, open_waits: bool = True, **options: Any) -> Visitor:
            context = await browser.new_context(**{"locale": "ru-RU", **options})
            stack.push_async_callback(context.close)
            visitor = Visitor(context, url, shots=tmp_path)
            await visitor.begin(waits=open_waits)
            visitors.append(visitor)
            return visitor

        yield open_page
        for visitor in visitors:
            assert visitor.faults == []
