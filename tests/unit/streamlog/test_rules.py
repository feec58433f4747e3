import pytest

from potok.errors import OffsetExpired, OffsetInvalid, StaleEpoch
from potok.events.envelope import Offset
from potok.limits import IDEMPOTENCY_KEY_SECONDS, READ_EVENTS_MAX
from potok.streamlog.rules import (
    check_after,
    check_events_max,
    check_writer,
    is_key_fresh,
    is_lease_valid,
    status_while_live,
)


@pytest.mark.parametrize(
    ("epoch", "current", "is_live", "may_write"),
    [(1, 1, True, True), (1, 2, True, False), (2, 1, True, False), (1, 1, False, False)],
)
def test_only_the_epoch_of_a_live_run_writes(
    epoch: int, current: int, is_live: bool, may_write: bool
) -> None:
    try:
        check_writer("run", epoch=epoch, current=current, is_live=is_live)
        allowed = True
    except StaleEpoch:
        allowed = False

    assert allowed is may_write


@pytest.mark.parametrize(
    ("after", "refusal"),
    [
        (-1, OffsetInvalid),
        (0, OffsetExpired),
        (2, OffsetExpired),
        (3, None),
        (9, None),
        (10, OffsetInvalid),
    ],
)
def test_what_follows_an_offset_is_kept_between_the_first_and_the_tail(
    after: int, refusal: type[Exception] | None
) -> None:
    def check() -> None:
        check_after("run", Offset(after), tail=Offset(9), first=Offset(4))

    if refusal is None:
        check()
    else:
        with pytest.raises(refusal):
            check()


def test_a_key_counts_for_its_time_and_no_longer() -> None:
    assert is_key_fresh(100.0, now=100.0 + IDEMPOTENCY_KEY_SECONDS - 0.1)
    assert not is_key_fresh(100.0, now=100.0 + IDEMPOTENCY_KEY_SECONDS)


@pytest.mark.parametrize(
    ("lease_until", "is_valid"), [(None, False), (4.9, False), (5.0, False), (5.1, True)]
)
def test_a_lease_is_valid_until_its_time(lease_until: float | None, is_valid: bool) -> None:
    assert is_lease_valid(lease_until, now=5.0) is is_valid


@pytest.mark.parametrize("events_max", [0, -1, READ_EVENTS_MAX + 1])
def test_a_page_of_a_size_out_of_bounds_is_our_mistake(events_max: int) -> None:
    with pytest.raises(AssertionError):
        check_events_max(events_max)


def test_a_live_run_is_queued_until_it_has_an_event() -> None:
    assert status_while_live(Offset(0)) == "queued"
    assert status_while_live(Offset(1)) == "running"
