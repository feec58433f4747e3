import pytest

from potok.errors import CursorInvalid
from potok.server.cursors import decode_cursor, encode_cursor

LIST = ("chats", 7, False)


@pytest.mark.parametrize("place", [0.0, 1_795_233_122.9510446, -1.5])
def test_a_cursor_comes_back_exactly(place: float) -> None:
    assert decode_cursor(encode_cursor(LIST, place, 42), LIST) == (place, 42)


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_cursor_is_the_first_page(nothing: str | None) -> None:
    assert decode_cursor(nothing, LIST) is None


@pytest.mark.parametrize(
    "other", [("chats", 7, True), ("chats", 8, False), ("chats", None, False), ("projects",)]
)
def test_a_cursor_of_another_list_is_refused(other: tuple[object, ...]) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor(encode_cursor(other, 1.0, 1), LIST)


@pytest.mark.parametrize(
    "garbage",
    ["x", "=", "!!!!", "я", "AAAA", "bnVsbA", "a" * 1_000, encode_cursor(LIST, 1, 2)[:-3]],
)
def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor(garbage, LIST)
