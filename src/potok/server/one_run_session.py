"""`/api/runs/{run}/ws`: one run's events as messages, and nothing else (spec 5.2, 9)."""

from contextlib import aclosing

import msgspec
from starlette.requests import HTTPConnection

from potok.dialects.native import encode_message
from potok.dialects.socket_messages import Ping, error_message, parse_operation, pong, ref_of
from potok.errors import OffsetInvalid, PotokError, RequestInvalid, ServerDraining
from potok.events.envelope import START, Offset, Place
from potok.events.run_request import JsonObject
from potok.server.problems import status_of
from potok.server.resume import place_in_run
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.server.websocket_session import Closing, Socket, known_error
from potok.streamlog.contract import RunRecord

__all__ = ["OneRunSession", "place_to_follow"]

# Codes from 4000 on are an application's own (RFC 6455 7.4.2): 4404 is what a 404 is over HTTP.
_REFUSED = 4000


def place_to_follow(record: RunRecord, place: Place | None) -> Offset | None:
    """Return the offset to read on after; None where nothing will ever follow.

    Raises:
        OffsetInvalid: no place of this run in the native framing.
    """
    if place is None:
        return START
    if place.frame > 1 or (place.frame and place.offset == START):
        raise OffsetInvalid(
            f"{place.offset}.{place.frame}", why="every event of this stream has one frame"
        )
    if not record.is_live and place.offset > record.tail:
        raise OffsetInvalid(str(place.offset), why=f"the run ended at {record.tail}")
    if not record.is_live and place.offset == record.tail:
        return None
    return place.offset


class OneRunSession:
    """Reads the run that the path names, from where the query says to its end.

    Refusals come as a message, for browsers show a page nothing of a refused handshake.
    """

    def __init__(self, services: Services, socket: Socket) -> None:
        self._runs = services.runs
        self._socket = socket

    async def take(self, message: JsonObject, *, size_bytes: int) -> None:
        operation = parse_operation(message)
        if not isinstance(operation, Ping):
            raise RequestInvalid(
                "This socket gives one run's events and answers pings; send this to /api/ws.",
                param="op",
            )
        await self._socket.send(pong(operation.ref))

    async def work(self) -> None:
        try:
            await self._deliver()
        except (Closing, ServerDraining, OSError):
            raise
        except Exception as error:
            known = known_error(error, doing="a run's socket")
            await self._socket.send(error_message(known))
            raise Closing(_REFUSED + status_of(known), known.code) from error

    def encode_error(self, error: PotokError, message: JsonObject | None) -> bytes:
        return error_message(error, None if message is None else ref_of(message))

    async def close(self) -> None:
        return

    async def _deliver(self) -> None:
        scope = self._socket.scope
        record = await self._runs.find(scope["path_params"]["run"], principal=principal_of(scope))
        place = place_in_run(HTTPConnection(scope), record.run)
        after = place_to_follow(record, place)
        if after is None:
            return
        # This may wait for long: it keeps no whole answer meanwhile.
        record = msgspec.structs.replace(record, snapshot=None)
        pages = self._runs.follow(record, after=after, returning=place is not None)
        async with aclosing(pages):
            async for page in pages:
                if page is None:
                    await self._socket.send(pong())
                else:
                    await self._socket.send_in_turns(map(encode_message, page))
