"""`useChat` itself, 6 and 7, in Chromium: the example of its page, on another origin than Potok."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.origin import Origin
from tests.integration.clients import ANSWERS, COUNT, TRIP
from tests.integration.harness import Server, running_server
from tests.integration.pages import pages
from tests.integration.peers import installed_peers, running_aimock
from tests.peers.node import NodePeer, install_peer

pytestmark = pytest.mark.asyncio(loop_scope="session")

# An answer of some two seconds.
TOKENS_PER_SECOND = "300"
PAGE = '<!doctype html><meta charset="utf-8"><body><script type="module" src="{}"></script>'


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def origin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Origin]:
    origin = Origin(tmp_path_factory.mktemp("site"))
    yield origin
    origin.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["demo", "aimock"])
async def potok(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, origin: Origin
) -> AsyncIterator[tuple[Server, str]]:
    """A server and the model to ask there."""
    folder = tmp_path_factory.mktemp("use-chat")
    more = {"POTOK_CORS_ORIGINS": origin.url}
    if request.param == "demo":
        more["POTOK_DEMO_TOKENS_PER_SECOND"] = TOKENS_PER_SECOND
        async with running_server(folder, **more) as server:
            yield server, "demo"
        return
    async with running_aimock(folder, ANSWERS, peers=installed_peers()) as aimock:
        more |= {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{aimock.url}/v1"}
        async with running_server(folder / "data", **more) as server:
            yield server, "gpt-4o"


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["6", "7"])
async def address(request: pytest.FixtureRequest, potok: tuple[Server, str], origin: Origin) -> str:
    """The address of the page that holds the example of `docs/clients/use-chat.md`."""
    version, (server, model) = request.param, potok
    cache = request.config.cache
    assert cache is not None
    peer: NodePeer = install_peer("ai-sdk", cache.mkdir("peers"))
    example = pages()["use-chat"].program("jsx", address=f"127.0.0.1:{server.port}")
    name = f"{version}-{model}"
    example = example.replace('"demo"', f'"{model}"')
    (peer.folder / f"chat-{name}.jsx").write_text(example)
    script = str(origin.folder / f"{name}.js")
    await peer.run("bundle.mjs", version, f"chat-{name}.jsx", script)
    (origin.folder / f"{name}.html").write_text(PAGE.format(f"{name}.js"))
    return f"{origin.url}/{name}.html"


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context()
    yield context
    await context.close()


# What is shown on the other server, too, is the whole way with a reload in its middle.
on_demo_alone = pytest.mark.parametrize("potok", ["demo"], indirect=True)


class Reader:
    """One tab with the example's page; `runs` are those that its answers named."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.runs: list[str] = []
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", lambda reply: self._note(reply.headers.get("x-potok-run")))

    def _note(self, run: str | None) -> None:
        if run and run not in self.runs:
            self.runs.append(run)

    @classmethod
    async def open(cls, context: BrowserContext, address: str, chat: str) -> "Reader":
        reader = cls(await context.new_page())
        await reader.page.goto(f"{address}?chat={quote(chat, safe='')}")
        await reader.page.wait_for_selector("input")
        return reader

    async def ask(self, text: str) -> None:
        await self.page.fill("input", text)
        await self.page.press("input", "Enter")

    async def answer(self, *, longer: int = 0) -> str:
        """Return the answer's text once it is longer than so many characters."""
        await self.page.wait_for_function(
            "longer => document.querySelector('.assistant')?.textContent.length > longer",
            arg=longer,
        )
        return await self.page.inner_text(".assistant")

    async def shows(self, texts: list[str], *, status: str = "ready") -> None:
        """Expect just these answers, and the hook's status."""
        await expect(self.page.locator(".assistant")).to_have_text(texts)
        await expect(self.page.locator("main")).to_have_attribute("data-status", status)
        assert self.faults == []


async def told(server: Server, run: str) -> Any:
    """Return a run's state once it has ended."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        while True:
            state = (await client.get(f"/api/runs/{run}")).json()
            if state["status"] not in ("queued", "running"):
                return state
            await asyncio.sleep(0.05)


async def test_a_reload_in_the_middle_shows_the_whole_answer_once(
    context: BrowserContext, potok: tuple[Server, str], address: str
) -> None:
    reader = await Reader.open(context, address, f"reload-{address}")
    await reader.ask(COUNT)
    before = await reader.answer(longer=40)

    async with reader.page.expect_response(lambda reply: "/stream" in reply.url) as resumed:
        await reader.page.reload()
    assert (await resumed.value).status == 200
    (run,) = reader.runs
    state = await told(potok[0], run)

    text = state["message"]["text"]
    assert len(before) < len(text)
    await reader.shows([text])
    await expect(reader.page.locator(".user")).to_have_text([COUNT])


@on_demo_alone
async def test_a_page_that_opens_after_the_end_asks_for_nothing_more(
    context: BrowserContext, potok: tuple[Server, str], address: str
) -> None:
    reader = await Reader.open(context, address, f"after-{address}")
    texts = []
    for number in range(2):
        await reader.ask(TRIP)
        await expect(reader.page.locator(".assistant")).to_have_count(number + 1)
        texts.append((await told(potok[0], reader.runs[number]))["message"]["text"])
        await reader.shows(texts)

    async with reader.page.expect_response(lambda reply: "/stream" in reply.url) as resumed:
        await reader.page.reload()

    assert (await resumed.value).status == 204
    await reader.shows(texts)


@on_demo_alone
async def test_stop_ends_the_answer_for_everybody(
    context: BrowserContext, potok: tuple[Server, str], address: str
) -> None:
    reader = await Reader.open(context, address, f"stop-{address}")
    await reader.ask(COUNT)
    await reader.answer(longer=40)

    await reader.page.click("button")
    state = await told(potok[0], reader.runs[0])
    await reader.page.reload()

    assert state["status"] == "cancelled"
    await reader.page.wait_for_selector(".assistant")
    shown = await reader.page.inner_text(".assistant")
    assert state["message"]["text"].startswith(shown)


@on_demo_alone
async def test_a_mistake_is_shown_with_its_reason(
    context: BrowserContext, potok: tuple[Server, str], address: str
) -> None:
    reader = await Reader.open(context, address, "too long " * 200)
    await reader.ask("?")

    await expect(reader.page.locator("strong")).to_contain_text("`id` must be")
    await expect(reader.page.locator("main")).to_have_attribute("data-status", "error")
