"""Advice about proxies that hold a stream back. Most cases are rows of `reconnection.json`."""

import pytest

from potok.limits import BURST_EVENTS_MIN, BURSTS_MAX
from potok.protocol.buffering import BufferingWatch


def hear_lumps(watch: BufferingWatch, *, lumps: int, events: int, silence: float) -> None:
    for lump in range(lumps):
        for event in range(events):
            watch.event(lump * silence + event * 0.01)


def test_a_new_line_forgets_what_was_counted_but_not_what_was_found() -> None:
    watch = BufferingWatch()
    hear_lumps(watch, lumps=BURSTS_MAX + 2, events=BURST_EVENTS_MIN, silence=5.0)

    watch.opened()

    assert watch.is_buffered


@pytest.mark.parametrize(
    ("lumps", "events", "silence", "is_buffered"),
    [
        (BURSTS_MAX + 2, BURST_EVENTS_MIN, 5.0, True),
        # The first lump does not count, and the last one is not known to be whole.
        (BURSTS_MAX + 1, BURST_EVENTS_MIN, 5.0, False),
        (BURSTS_MAX + 9, BURST_EVENTS_MIN - 1, 5.0, False),
        (BURSTS_MAX + 9, BURST_EVENTS_MIN, 0.9, False),
    ],
)
def test_large_lumps_after_long_silences_are_told_apart(
    lumps: int, events: int, silence: float, is_buffered: bool
) -> None:
    watch = BufferingWatch()

    hear_lumps(watch, lumps=lumps, events=events, silence=silence)

    assert watch.is_buffered is is_buffered


def test_a_steady_stream_with_steady_heartbeats_is_not_suspected() -> None:
    watch = BufferingWatch()

    for second in range(600):
        (watch.heartbeat if second % 15 == 14 else watch.event)(float(second))

    assert not watch.is_buffered
