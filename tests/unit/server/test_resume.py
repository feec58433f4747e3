import pytest
from starlette.requests import Request

from potok.errors import OffsetInvalid, RunNotFound
from potok.events.envelope import Offset, Place
from potok.server.resume import place_asked, place_in_run, run_of

RUN = "run-00000000000000000001"


def request_with(*, header: str | None = None, query: str = "") -> Request:
    headers = [] if header is None else [(b"last-event-id", header.encode())]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("header", "query", "place"),
    [
        (None, "", None),
        ("", "after=", None),
        (None, "after=0", Place(run=None, offset=Offset(0))),
        (None, "after=7", Place(run=None, offset=Offset(7))),
        ("7", "", Place(run=None, offset=Offset(7))),
        ("7.2", "", Place(run=None, offset=Offset(7), frame=2)),
        (f"{RUN}.7", "", Place(run=RUN, offset=Offset(7))),
        (f"{RUN}.7.2", "", Place(run=RUN, offset=Offset(7), frame=2)),
    ],
)
def test_a_place_is_read_in_all_its_forms(
    header: str | None, query: str, place: Place | None
) -> None:
    assert place_asked(request_with(header=header, query=query)) == place


def test_the_header_wins_over_the_address_that_an_eventsource_keeps() -> None:
    place = place_asked(request_with(header="9", query="after=3"))

    assert place == Place(run=None, offset=Offset(9))


def test_an_empty_header_leaves_the_address_to_say_it() -> None:
    place = place_asked(request_with(header="", query="after=3"))

    assert place == Place(run=None, offset=Offset(3))


@pytest.mark.parametrize("garbage", ["-1", "x", "1.2.3", "0x10", "1 2", "9" * 16, "٣", "1;", "$"])
def test_garbage_is_refused_wherever_it_stands(garbage: str) -> None:
    with pytest.raises(OffsetInvalid):
        place_asked(request_with(header=garbage))
    with pytest.raises(OffsetInvalid):
        place_asked(request_with(query=f"after={garbage.replace(';', '%3B')}"))


def test_a_place_of_another_run_is_not_found() -> None:
    with pytest.raises(RunNotFound):
        place_in_run(request_with(header="another-run-0000000000.3"), RUN)

    assert place_in_run(request_with(header=f"{RUN}.3"), RUN) is not None
    assert place_in_run(request_with(), RUN) is None


def test_a_place_without_a_run_does_not_say_which() -> None:
    assert run_of(Place(run=RUN, offset=Offset(3))) == RUN
    with pytest.raises(OffsetInvalid, match="run"):
        run_of(Place(run=None, offset=Offset(3)))
