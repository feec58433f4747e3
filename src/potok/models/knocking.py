"""Finds out cheaply whether anybody listens at an address, before anything is said to them."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from potok.models.time_limits import Sleep, time_limit

__all__ = ["somebody_listens"]


async def somebody_listens(url: str, *, seconds: float, sleep: Sleep = asyncio.sleep) -> bool:
    """Whether a connection to the host and port of `url` can be made within `seconds`.

    On loopback a refusal costs less than a millisecond, and loads no HTTP client.
    """
    place = urlsplit(url)
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        async with time_limit(seconds, sleep=sleep):
            _, writer = await asyncio.open_connection(place.hostname, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
