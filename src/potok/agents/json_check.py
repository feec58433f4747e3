"""Looks for the JSON in an answer, and never holds anybody else up."""

import asyncio
import threading
from contextlib import suppress

from potok.events.json_schema import JsonWish
from potok.limits import JSON_CHECK_SECONDS_MAX, JSON_CHECKS_STUCK_MAX

__all__ = ["find_json"]

_Finding = tuple[str, tuple[str, ...]]

_stuck: list[threading.Thread] = []


async def find_json(wish: JsonWish, text: str) -> _Finding:
    """Return the JSON in a text, and what is wrong with it: nothing if it is as wished.

    In a thread of its own, as a schema may be made to take for ever; such a thread cannot be
    stopped, so that only few may be in that state at a time.
    """
    _stuck[:] = [thread for thread in _stuck if thread.is_alive()]
    if len(_stuck) >= JSON_CHECKS_STUCK_MAX:
        return text, ("Checks of other answers do not come to an end.",)
    loop = asyncio.get_running_loop()
    checked: asyncio.Future[_Finding] = loop.create_future()

    def check() -> None:
        try:
            found = wish.find(text)
            finding = found, wish.faults(found)
        except Exception as error:
            finding = text, (f"It cannot be checked ({type(error).__name__}).",)
        # The loop may be closed by now: then nobody waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_set, checked, finding)

    thread = threading.Thread(target=check, name="json-check", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(JSON_CHECK_SECONDS_MAX):
            return await checked
    except TimeoutError:
        _stuck.append(thread)
        return text, ("The check against its schema takes too long.",)


def _set(checked: asyncio.Future[_Finding], finding: _Finding) -> None:
    if not checked.done():
        checked.set_result(finding)
