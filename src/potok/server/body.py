"""Reads request bodies: bounded in bytes, time and depth, and always one JSON object.

Of two keys with the same name the last one counts, as in every browser.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from starlette.types import Message, Receive

from potok import limits
from potok.errors import (
    BodyTooLarge,
    BodyTooSlow,
    MessageMalformed,
    MessageTooLarge,
    RequestInvalid,
)
from potok.wire.json_messages import parse_message

__all__ = [
    "ClientGone",
    "counted",
    "discard_body",
    "read_bytes",
    "read_json",
    "settle_tasks",
    "unless_gone",
    "until_gone",
]

_Result = TypeVar("_Result")


class ClientGone(Exception):
    """The client closed its connection; there is nobody to answer."""


def counted(receive: Receive, *, bytes_max: int = limits.BODY_BYTES_MAX) -> Receive:
    """Return a `receive` that raises `BodyTooLarge`, once, when a body gets over `bytes_max`.

    It counts what arrives: `Content-Length` may be absent, or a lie.
    """
    received = 0

    async def receive_within() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request" and received <= bytes_max:
            received += len(message.get("body", b""))
            if received > bytes_max:
                raise BodyTooLarge(what="body", limit_bytes=bytes_max)
        return message

    return receive_within


async def read_json(
    receive: Receive, *, seconds_max: float = limits.BODY_SECONDS_MAX
) -> dict[str, object]:
    """Return the JSON object that the request's body holds; no body is an empty object.

    Raises:
        RequestInvalid: not JSON (NaN and half surrogate pairs are not), not an object, or nested
            too deep; the message says where.
        BodyTooLarge, BodyTooSlow: over a limit.
        ClientGone: the connection ended within the body.
    """
    body = await read_bytes(receive, seconds_max=seconds_max)
    if not body:
        return {}
    try:
        return parse_message(body, bytes_max=limits.BODY_BYTES_MAX)
    except MessageTooLarge as error:
        raise BodyTooLarge(what="body", limit_bytes=error.limit_bytes) from error
    except MessageMalformed as error:
        raise RequestInvalid(
            f"The body cannot be read ({error.place}): {error.why}. Send one JSON object."
        ) from error


async def read_bytes(receive: Receive, *, seconds_max: float = limits.BODY_SECONDS_MAX) -> bytes:
    """Return the request's body.

    Raises:
        BodyTooLarge, BodyTooSlow: over a limit.
        ClientGone: the connection ended within the body.
    """
    try:
        async with asyncio.timeout(seconds_max):
            return await _read_body(receive)
    except TimeoutError as error:
        raise BodyTooSlow(seconds=seconds_max) from error
    except BodyTooLarge:
        await discard_body(receive)
        raise


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def discard_body(receive: Receive) -> None:
    """Read the rest of a refused body and keep nothing, within bounds.

    A connection that is closed with unread bytes is reset, and the sender would never see the
    answer. Gives up at the bounds, for there the sender is no client worth an answer.
    """
    discarded = 0
    try:
        async with asyncio.timeout(limits.BODY_SECONDS_MAX):
            while discarded <= limits.BODY_DISCARDED_BYTES_MAX:
                message = await receive()
                # A message of no bytes that promises more must count too, or this never ends.
                discarded += len(message.get("body", b"")) + 1
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


async def unless_gone(receive: Receive, work: Awaitable[_Result]) -> _Result:
    """Return what `work` returns; cancels it, and waits for that, once the client is gone.

    The request's body must have been read to its end.

    Raises:
        ClientGone: the client closed its connection first.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(until_gone(receive))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        await settle_tasks(working, gone)


async def until_gone(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def settle_tasks(*tasks: asyncio.Future[Any]) -> None:
    """Cancel the tasks and wait until each has ended, whatever it ended with."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
