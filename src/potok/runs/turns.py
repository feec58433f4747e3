"""What an agent is told of a run: at its start, and when it is taken over."""

import msgspec

from potok.agents.contract import Turn
from potok.events.fold import Message
from potok.protocol.production import Production
from potok.streamlog.contract import RunRecord

__all__ = ["turn_of"]


def turn_of(record: RunRecord, production: Production | None = None) -> Turn:
    """Return the first turn of a run, or the next one after what `production` has replayed."""
    if production is None:
        return Turn(run=record.run, request=record.request, principal=record.principal)
    # A copy: the producer's own message grows while the agent reads what was said.
    said = msgspec.json.decode(production.snapshot(), type=Message)
    return Turn(
        run=record.run,
        request=record.request,
        attempt=record.attempts_made + 1,
        said=said if production.has_started else None,
        principal=record.principal,
    )
