"""One reader's rules."""

import pytest

from potok.errors import LogLost
from potok.events.envelope import START, Offset
from potok.protocol.subscription import Finish, Heartbeat, Read, Subscription, Wait


def reader(after: int = 0) -> Subscription:
    return Subscription(after=Offset(after), heartbeat_seconds=15.0, now=100.0)


def page(
    subscription: Subscription, first: int, last: int, tail: int, *, ended: bool = False
) -> None:
    subscription.page_read(
        first=Offset(first), last=Offset(last), tail=Offset(tail), ended=ended, now=101.0
    )


def empty_page(subscription: Subscription, tail: int) -> None:
    subscription.page_read(first=None, last=None, tail=Offset(tail), ended=False, now=101.0)


def test_a_new_reader_reads_first() -> None:
    assert reader().next_command(100.0) == Read(START)


def test_a_reader_that_lags_reads_on_without_waiting() -> None:
    subscription = reader()

    page(subscription, 1, 500, 700)

    assert subscription.next_command(101.0) == Read(Offset(500))


def test_a_reader_at_the_tail_waits_until_its_heartbeat_is_due() -> None:
    subscription = reader()

    page(subscription, 1, 3, 3)

    assert subscription.next_command(105.0) == Wait(Offset(3), 11.0)


def test_a_quiet_run_gives_one_heartbeat_each_interval() -> None:
    subscription = reader()
    empty_page(subscription, 0)

    first = subscription.next_command(115.0)
    second = subscription.next_command(115.0)

    assert first == Heartbeat()
    assert second == Wait(START, 15.0)


def test_delivered_events_put_the_heartbeat_off() -> None:
    subscription = reader()
    subscription.page_read(first=Offset(1), last=Offset(1), tail=Offset(1), ended=False, now=114.0)

    assert subscription.next_command(115.0) == Wait(Offset(1), 14.0)


def test_a_reader_that_waited_in_vain_does_not_read() -> None:
    subscription = reader()
    empty_page(subscription, 0)

    subscription.waited(grew=False)

    assert isinstance(subscription.next_command(102.0), Wait)


def test_growth_makes_a_waiting_reader_read_after_what_it_saw() -> None:
    subscription = reader()
    page(subscription, 1, 3, 3)

    subscription.waited(grew=True)

    assert subscription.next_command(102.0) == Read(Offset(3))


def test_the_end_finishes_the_reader_for_good() -> None:
    subscription = reader()

    page(subscription, 1, 9, 9, ended=True)

    assert subscription.next_command(102.0) == Finish()
    assert subscription.next_command(999.0) == Finish()


def test_a_gap_before_a_page_is_said() -> None:
    with pytest.raises(LogLost, match="lost events 4 to 6"):
        page(reader(3), 7, 9, 9)


def test_a_tail_that_cannot_be_read_is_said() -> None:
    with pytest.raises(LogLost, match="lost events 4 to 9"):
        empty_page(reader(3), 9)


def test_a_page_that_repeats_an_event_is_refused() -> None:
    with pytest.raises(LogLost):
        page(reader(3), 3, 9, 9)
