import pytest

from potok.testing.fakes import CountingIds, FakeClock, RecordingObserver


def test_a_fake_clock_moves_only_when_it_is_told_to() -> None:
    clock = FakeClock(now=100.0)
    before = clock.now(), clock.monotonic()

    clock.advance(2.5)

    assert (clock.now() - before[0], clock.monotonic() - before[1]) == (2.5, 2.5)


def test_a_fake_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        FakeClock().advance(-1)


def test_counted_run_ids_sort_by_their_making_and_look_like_real_ones() -> None:
    ids = CountingIds()

    made = [ids.run_id() for _ in range(12)]

    assert made == sorted(set(made))
    assert all(16 <= len(one) <= 64 for one in made)


def test_counted_worker_ids_differ() -> None:
    ids = CountingIds()

    assert ids.worker_id() != ids.worker_id()


def test_a_recording_observer_keeps_what_it_hears() -> None:
    observer = RecordingObserver()

    observer.counted("runs")
    observer.counted("runs", 2)
    observer.timed("commit", 0.5)

    assert observer.counts == {"runs": 3}
    assert observer.times == {"commit": [0.5]}
