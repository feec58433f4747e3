import pytest

from potok.events.envelope import Offset
from potok.streamlog import run_index
from potok.streamlog.run_index import RunIndex
from potok.streamlog.segments import Place

COUNTS = (1, 3, 1, 1, 7, 2)
TAIL = Offset(sum(COUNTS))


def places() -> list[Place]:
    first, found = 1, []
    for number, count in enumerate(COUNTS):
        found.append(Place(Offset(first), 50 + 3 * number, 11 * number, 100))
        first += count
    return found


def filled() -> RunIndex:
    index = RunIndex(base=50)
    for place in places():
        index.add(place)
    return index


@pytest.mark.parametrize("events_max", [1, 2, 3, 8, 500])
@pytest.mark.parametrize("after", range(TAIL))
def test_the_places_found_hold_the_events_that_are_wanted(after: int, events_max: int) -> None:
    found = filled().places(Offset(after), tail=TAIL, events_max=events_max)

    offsets = [place.first + n for place, count in found for n in range(count)]
    last = min(after + events_max, TAIL)
    assert offsets == list(range(offsets[0], offsets[-1] + 1))
    assert offsets[0] <= after + 1
    assert offsets[-1] >= last
    assert [place for place, _ in found] == [
        place
        for place, count in zip(places(), COUNTS, strict=True)
        if place.first + count > after + 1 and place.first <= last
    ]


def test_nothing_follows_the_tail() -> None:
    assert filled().places(TAIL, tail=TAIL, events_max=5) == []


def test_the_stored_form_is_the_same_index() -> None:
    index = filled()
    more = Place(Offset(TAIL + 1), 90, 5, 6)

    again = RunIndex.from_bytes(index.to_bytes(more))

    index.add(more)
    assert again.to_bytes() == index.to_bytes()
    assert again.places(TAIL, tail=Offset(TAIL + 2), events_max=9) == [(more, 2)]


def test_what_lies_beyond_the_tail_is_not_found() -> None:
    index = filled()
    index.add(Place(Offset(TAIL + 1), 90, 0, 100))

    found = index.places(Offset(TAIL - 1), tail=TAIL, events_max=9)

    assert found == [(places()[-1], COUNTS[-1])]


def test_places_end_where_their_bytes_would_be_over_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_index, "READ_BYTES_MAX", 250)

    found = filled().places(Offset(0), tail=TAIL, events_max=500)

    assert [place for place, _ in found] == places()[:2]


def test_one_place_is_found_whatever_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_index, "READ_BYTES_MAX", 1)

    assert filled().places(Offset(4), tail=TAIL, events_max=500) == [(places()[2], 1)]
