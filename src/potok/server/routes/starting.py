"""What every route that starts a run has in common: key, language, and what a disconnect means."""

from typing import Protocol

import msgspec
from starlette.requests import Request

from potok import limits
from potok.errors import RequestInvalid
from potok.events.run_request import OnDisconnect, RunRequest
from potok.server.headers import header_of
from potok.server.problems import RUN_IN_SCOPE
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord

__all__ = ["asks_to_keep", "start_run"]


class Start(Protocol):
    """Starts a run; see `RunService.start`."""

    async def __call__(
        self, request: RunRequest, /, *, principal: str, idempotency_key: str | None
    ) -> tuple[RunRecord, bool]: ...


async def start_run(
    services: Services,
    request: Request,
    wanted: RunRequest,
    *,
    stores_chat: bool = True,
    start: Start | None = None,
) -> tuple[RunRecord, bool]:
    """Start what a checked request asks for, or find what its `Idempotency-Key` started.

    Args:
        stores_chat: Whether the words of a run that names a chat are stored there, too.
        start: Starts it, for a face that stores its words in a way of its own.

    Raises:
        RequestInvalid: the key is too long, or `X-Potok-On-Disconnect` another word.
        PotokError: as `RunService.start`.
    """
    key = header_of(request.scope, "idempotency-key") or None
    if key is not None and len(key) > limits.IDEMPOTENCY_KEY_CHARACTERS_MAX:
        raise RequestInvalid(
            "The Idempotency-Key is longer than"
            f" {limits.IDEMPOTENCY_KEY_CHARACTERS_MAX} characters. Use a UUID."
        )
    wish = _wish_of(request)
    if wish is not None:
        wanted = msgspec.structs.replace(wanted, on_disconnect=wish)
    if start is None:
        keeps = stores_chat and wanted.chat is not None and services.chats is not None
        start = services.chats.start_run if keeps and services.chats else services.runs.start
    record, created = await start(
        wanted, principal=principal_of(request.scope), idempotency_key=key
    )
    request.scope[RUN_IN_SCOPE] = record.run
    return record, created


def asks_to_keep(request: Request) -> bool:
    """Whether a reader wants the run to go on without it (`X-Potok-On-Disconnect: keep`).

    Raises:
        RequestInvalid: the header has another value than `keep` or `cancel`.
    """
    return _wish_of(request) == "keep"


def _wish_of(request: Request) -> OnDisconnect | None:
    match (header_of(request.scope, "x-potok-on-disconnect") or "").lower():
        case "":
            return None
        case "keep":
            return "keep"
        case "cancel":
            return "cancel"
    raise RequestInvalid("X-Potok-On-Disconnect must be keep or cancel.")
