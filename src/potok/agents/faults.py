"""What a fault of a provider means for the answer it broke. Pure."""

from potok.errors import (
    AnswerUnfit,
    PeerError,
    PotokError,
    UpstreamBusy,
    UpstreamRefused,
    UpstreamStalled,
)
from potok.protocol.continuation import Fault

__all__ = ["kind_of"]

# Faults that pass by themselves, among those that a provider reports with a status.
_PASSING_STATUSES = frozenset({408, 409, 429})
# What models that take no begun answer say to one.
_PREFILL_REFUSALS = frozenset({400, 422})


def kind_of(fault: PotokError, *, was_begun: bool) -> Fault:
    """Return the kind of a fault, as the rules of continuation know it.

    Args:
        was_begun: The call had handed a begun answer in, and nothing came of it.
    """
    if isinstance(fault, UpstreamBusy):
        return "busy"
    if isinstance(fault, UpstreamStalled):
        return "silent"
    if not isinstance(fault, UpstreamRefused):
        # A bare one is an adapter's own no to the request. An answer that does not fit would not
        # fit again: another model may do better.
        return "refused" if type(fault) in (PeerError, AnswerUnfit) else "broken"
    if fault.status >= 500 or fault.status in _PASSING_STATUSES:
        return "broken"
    return "prefill_refused" if was_begun and fault.status in _PREFILL_REFUSALS else "refused"
