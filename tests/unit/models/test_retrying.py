import pytest

from potok.errors import (
    FrameTooLarge,
    PeerError,
    UpstreamLost,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamStalled,
    UpstreamUnreachable,
)
from potok.models.retrying import RetryRules

RULES = RetryRules(
    tries_max=4, backoff_seconds=1.0, backoff_seconds_max=3.0, retry_after_seconds_max=60.0
)


def refused(status: int, *, after: float | None = None) -> UpstreamRefused:
    return UpstreamRefused("no", status=status, retry_after_seconds=after)


@pytest.mark.parametrize(
    "fault",
    [
        UpstreamUnreachable("x"),
        UpstreamLost("x"),
        *(refused(status) for status in (408, 409, 429, 500, 502, 503, 504, 529)),
    ],
)
def test_faults_that_pass_are_tried_again(fault: PeerError) -> None:
    assert RULES.wait_seconds(fault=fault, tries=1, fraction=0.0) == 0.5


@pytest.mark.parametrize(
    "fault",
    [
        UpstreamStalled("x"),
        UpstreamMalformed("x"),
        FrameTooLarge(what="line", limit_bytes=1),
        *(refused(status) for status in (301, 400, 401, 402, 403, 404, 413, 422)),
    ],
)
def test_faults_that_stay_are_not(fault: PeerError) -> None:
    assert RULES.wait_seconds(fault=fault, tries=1, fraction=0.0) is None


def test_waits_double_up_to_a_limit_and_half_of_them_is_jitter() -> None:
    fault = UpstreamLost("x")
    shortest = [RULES.wait_seconds(fault=fault, tries=t, fraction=0.0) for t in (1, 2, 3)]
    longest = [RULES.wait_seconds(fault=fault, tries=t, fraction=1.0) for t in (1, 2, 3)]

    assert shortest == [0.5, 1.0, 1.5]
    assert longest == [1.0, 2.0, 3.0]


def test_tries_end() -> None:
    assert RULES.wait_seconds(fault=UpstreamLost("x"), tries=4, fraction=0.0) is None
    patient = RetryRules(tries_max=10_000, backoff_seconds=1.0, backoff_seconds_max=3.0)
    assert patient.wait_seconds(fault=UpstreamLost("x"), tries=9_999, fraction=1.0) == 3.0


def test_a_wait_that_was_asked_for_is_never_made_shorter() -> None:
    for fraction in (0.0, 0.5, 0.99):
        wait = RULES.wait_seconds(fault=refused(429, after=20.0), tries=1, fraction=fraction)
        assert wait is not None
        assert 20.0 <= wait <= 22.0


def test_a_wait_beyond_the_limit_ends_the_tries() -> None:
    assert RULES.wait_seconds(fault=refused(429, after=61.0), tries=1, fraction=0.0) is None
