"""Somebody who uses the page: opens tabs, asks, reads, and writes down what no page may do."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, expect

__all__ = ["LONG", "SECONDS_MAX", "Visitor", "words"]

SECONDS_MAX = 12.0
MILLISECONDS = SECONDS_MAX * 1000

# A cut line is the point of some tests, and browsers write it down by themselves.
_ABOUT_THE_LINE = re.compile(
    r"net::ERR_|WebSocket connection to|status of 401|Failed to load resource"
)
_NOTE_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def words(count: int) -> str:
    """Return a text in which a lost or doubled piece is seen at once."""
    return " ".join(f"слово-{number}" for number in range(count))


LONG = words(60)
"""Some three seconds of an answer."""


class Visitor:
    """One browser profile. `faults` holds foreign requests, script errors and broken policies."""

    def __init__(self, context: BrowserContext, url: str, *, shots: Path) -> None:
        self.context = context
        self.url = url
        self.faults: list[str] = []
        self.sockets: list[Page] = []
        self._shots = shots
        self.page: Page

    async def begin(self, *, waits: bool) -> None:
        """Open the first tab; `waits` until one can ask."""
        self.context.set_default_timeout(MILLISECONDS)
        await self.context.add_init_script(_NOTE_VIOLATIONS)
        self.context.on("request", self._check_request)
        self.context.on("console", self._check_console)
        self.page = await self.open_tab(waits=waits)

    async def open_tab(self, *, waits: bool = True) -> Page:
        """Open the page in another tab; `waits` until one can ask."""
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("websocket", lambda _: self.sockets.append(page))
        await page.goto(self.url)
        if waits:
            await page.wait_for_selector("select:enabled")
        return page

    def _check_request(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme not in ("data", "blob") and place.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"a foreign request: {request.url}")

    def _check_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _ABOUT_THE_LINE.search(message.text):
            self.faults.append(f"{message.type}: {message.text}")

    async def violations(self, page: Page | None = None) -> list[str]:
        """Return what the page's own policy had to forbid."""
        found: list[str] = await (page or self.page).evaluate("window.violations")
        return found

    async def ask(self, question: str, page: Page | None = None) -> None:
        """Type a question and send it."""
        page = page or self.page
        await page.fill("#message-field", question)
        await page.press("#message-field", "Enter")
        await expect(page.locator("#message-field")).to_have_value("")

    async def shown(self, page: Page | None = None) -> str:
        """Return the newest answer's text as it is painted, without the cursor."""
        text: str = await (page or self.page).evaluate(
            """() => [...document.querySelectorAll(".message--assistant")].at(-1)
                 ?.querySelector(".markdown")?.innerText ?? "" """
        )
        return text.replace("▋", "").strip()

    async def until_shown(self, enough: Callable[[str], bool], page: Page | None = None) -> str:
        """Wait until the newest answer's text is as wanted, and return it."""
        ends_at = time.monotonic() + SECONDS_MAX
        while True:
            text = await self.shown(page)
            if enough(text):
                return text
            assert time.monotonic() < ends_at, f"the answer stayed at {text[-200:]!r}"
            await asyncio.sleep(0.03)

    async def until_words(self, count: int, page: Page | None = None) -> str:
        """Wait until at least so many words of the answer are painted."""
        return await self.until_shown(lambda text: len(text.split()) >= count, page)

    async def until_ended(self, page: Page | None = None) -> str:
        """Wait until nothing is written any more, and return the newest answer's text."""
        page = page or self.page
        await expect(page.locator("form .button--send")).to_be_visible(timeout=2 * MILLISECONDS)
        await expect(page.locator(".cursor")).to_have_count(0)
        return await self.shown(page)

    async def stored(self) -> dict[str, Any]:
        """Return the newest answer as this browser keeps it."""
        answer: dict[str, Any] = await self.page.evaluate(
            "() => JSON.parse(localStorage['potok.conversation']).exchanges.at(-1).answer"
        )
        return answer

    async def shoot(self, name: str, page: Page | None = None) -> None:
        """Take a picture for people to look at; it stays in the test's own folder."""
        await (page or self.page).screenshot(path=self._shots / f"{name}.png")
