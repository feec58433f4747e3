import pytest

from potok.errors import OffsetInvalid
from potok.events.envelope import Offset, Place, parse_place

RUN = "01sample0run0of0potok00000"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0", Place(run=None, offset=Offset(0))),
        ("42", Place(run=None, offset=Offset(42))),
        ("42.3", Place(run=None, offset=Offset(42), frame=3)),
        (f"{RUN}.42", Place(run=RUN, offset=Offset(42))),
        (f"{RUN}.42.3", Place(run=RUN, offset=Offset(42), frame=3)),
        ("1234567890123456.7", Place(run="1234567890123456", offset=Offset(7))),
        ("123456789012345.7", Place(run=None, offset=Offset(123456789012345), frame=7)),
        (f"{'-_' * 32}.1", Place(run="-_" * 32, offset=Offset(1))),
    ],
)
def test_a_place_is_read(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1 ",
        "1\n",
        "1.",
        ".1",
        "1.2.3",
        "a",
        "0x1",
        "1e3",
        "٣",
        "1234567890123456",
        "1.1234567890",
        RUN,
        f"{RUN}.",
        f"{RUN}.a",
        f"{RUN}.1.2.3",
        f"short.{1}",
        f"{'r' * 65}.1",
        f"{'r' * 15}.1",
        f"{RUN[:-1]}é.1",
        "latest",
    ],
)
def test_anything_else_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(OffsetInvalid, match="it is not an offset") as refusal:
        parse_place(text)

    assert refusal.value.offset == text
