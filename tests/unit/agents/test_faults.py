import pytest

from potok.agents.faults import kind_of
from potok.errors import (
    FrameTooLarge,
    PeerError,
    PotokError,
    UpstreamBusy,
    UpstreamLost,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamStalled,
    UpstreamUnreachable,
)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (UpstreamLost("x"), "broken"),
        (UpstreamUnreachable("x"), "broken"),
        (UpstreamMalformed("x"), "broken"),
        (FrameTooLarge(what="line", limit_bytes=1), "broken"),
        (UpstreamStalled("x"), "silent"),
        (UpstreamBusy("x"), "busy"),
        (PeerError("x"), "refused"),
        *((UpstreamRefused("x", status=status), "broken") for status in (408, 429, 500, 529)),
        *((UpstreamRefused("x", status=status), "refused") for status in (400, 401, 404, 422)),
    ],
)
def test_what_a_fault_means(fault: PotokError, kind: str) -> None:
    assert kind_of(fault, was_begun=False) == kind


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "prefill_refused"), (422, "prefill_refused"), (401, "refused")]
)
def test_a_begun_answer_may_be_what_was_refused(status: int, kind: str) -> None:
    assert kind_of(UpstreamRefused("x", status=status), was_begun=True) == kind
