"""Lists of a principal's runs, with the statuses that people are shown."""

import msgspec

from potok.clock import RunId
from potok.errors import LogLost, RunNotFound
from potok.limits import QUEUED_EVENTS_MAX
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord, RunStatus

__all__ = ["list_shown"]

_LIVE: tuple[RunStatus, ...] = ("queued", "running")


async def list_shown(
    runs: RunService,
    *,
    principal: str,
    cursor: str | None,
    status: RunStatus | None,
    items_max: int,
) -> tuple[list[RunRecord], str | None]:
    """Return a page of the principal's runs, newest first, and the next page's cursor.

    The log calls a run `running` that tells its place in its provider's line: what it tells is
    looked at here. So a page of queued or of running runs may hold fewer than there are; its
    cursor leads on.
    """
    if status not in _LIVE:
        page, next_cursor = await runs.list_runs(
            principal=principal, cursor=cursor, status=status, items_max=items_max
        )
        return [await _shown(runs, record) for record in page], next_cursor
    found: dict[RunId, RunRecord] = {}
    has_more = False
    for kind in _LIVE:
        page, next_cursor = await runs.list_runs(
            principal=principal, cursor=cursor, status=kind, items_max=items_max
        )
        has_more = has_more or next_cursor is not None
        found.update((record.run, record) for record in page)
    newest = sorted(found, reverse=True)[:items_max]
    has_more = has_more or len(found) > len(newest)
    records = [await _shown(runs, found[run]) for run in newest]
    kept = [record for record in records if record.status == status]
    return kept, newest[-1] if has_more and newest else None


async def _shown(runs: RunService, record: RunRecord) -> RunRecord:
    if record.status != "running" or record.tail > QUEUED_EVENTS_MAX:
        return record
    try:
        now, _ = await runs.snapshot(record.run, principal=record.principal)
    except (RunNotFound, LogLost):
        return record
    return msgspec.structs.replace(now, snapshot=None)
