"""The live run of a chat whose id is the client's own: found in the log, so by every worker.

Each run's record holds its chat's id, so nothing beside the log has to be kept right. A look costs
one page of a principal's live runs for each 200 of them.
"""

from typing import Literal

from potok.clock import RunId
from potok.errors import RunNotFound
from potok.limits import LIST_ITEMS_MAX, NAMED_CHAT_PAGES_MAX
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord

__all__ = ["find_live_runs", "replace_older_runs"]

_LIVE: tuple[Literal["running", "queued"], ...] = ("running", "queued")


async def find_live_runs(
    runs: RunService, chat: str, *, principal: str, face: str
) -> list[RunRecord]:
    """Return the live runs that a face started for a chat of the principal, newest first."""
    found: dict[RunId, RunRecord] = {}
    for status in _LIVE:
        cursor: str | None = None
        for _ in range(NAMED_CHAT_PAGES_MAX):
            page, cursor = await runs.list_runs(
                principal=principal, cursor=cursor, status=status, items_max=LIST_ITEMS_MAX
            )
            for record in page:
                if record.request.chat == chat and record.request.face == face:
                    found[record.run] = record
            if cursor is None:
                break
    return [found[run] for run in sorted(found, reverse=True)]


async def replace_older_runs(runs: RunService, record: RunRecord) -> None:
    """Stop the runs of the same chat that are older than `record`: a chat makes one answer.

    Run ids rise, so of two requests at once each stops only the older, and the newest stays.
    """
    chat, face = record.request.chat, record.request.face
    assert chat is not None, "only runs of a chat replace others"
    principal = record.principal
    for other in await find_live_runs(runs, chat, principal=principal, face=face):
        if other.run < record.run:
            try:
                await runs.cancel(other.run, principal=principal, wait_seconds=0)
            except RunNotFound:
                # It ended and was forgotten between the two looks.
                continue
