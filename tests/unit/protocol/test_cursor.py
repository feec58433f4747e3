"""A reader's place against the ids of frames."""

import pytest

from potok.errors import OffsetInvalid
from potok.protocol.cursor import Cursor, Verdict

RUN = "abcdefghijklmnop"


@pytest.mark.parametrize(
    ("after", "id", "verdict"),
    [
        (None, "1", Verdict.NEW),
        ("0", "1", Verdict.NEW),
        ("0", "1.1", Verdict.NEW),
        ("0", "2", Verdict.GAP),
        ("7", "7", Verdict.OLD),
        ("7", "6", Verdict.OLD),
        ("7", "7.3", Verdict.OLD),
        ("7", "8.1", Verdict.NEW),
        ("7", "8.2", Verdict.GAP),
        ("7", "9", Verdict.GAP),
        ("7.2", "7.2", Verdict.OLD),
        ("7.2", "7.3", Verdict.NEW),
        ("7.2", "7.4", Verdict.GAP),
        ("7.2", "8", Verdict.NEW),
        ("7.2", "9", Verdict.GAP),
        ("7", f"{RUN}.8", Verdict.NEW),
        (f"{RUN}.7", "8", Verdict.NEW),
        (f"{RUN}.7", f"{RUN}.7", Verdict.OLD),
        (f"{RUN}.7", f"{RUN[::-1]}.8", Verdict.FOREIGN),
        ("7", "-1", Verdict.FOREIGN),
        ("7", "", Verdict.FOREIGN),
        ("7", "8 ", Verdict.FOREIGN),
        ("7", "٨", Verdict.FOREIGN),
    ],
)
def test_an_id_is_judged_against_the_last_one(after: str | None, id: str, verdict: Verdict) -> None:
    assert Cursor(after).admit(id) is verdict


def test_only_a_new_id_moves_the_cursor() -> None:
    cursor = Cursor("7")

    moved = [(cursor.admit(id), cursor.after) for id in ("9", "x", "7", f"{RUN}.8")]

    assert moved == [
        (Verdict.GAP, "7"),
        (Verdict.FOREIGN, "7"),
        (Verdict.OLD, "7"),
        (Verdict.NEW, f"{RUN}.8"),
    ]


def test_a_sparse_dialect_may_jump_but_not_go_back() -> None:
    cursor = Cursor("7", is_dense=False)

    assert [cursor.admit(id) for id in ("20", "20.1", "19", "21.4")] == [
        Verdict.NEW,
        Verdict.OLD,
        Verdict.OLD,
        Verdict.NEW,
    ]


@pytest.mark.parametrize(
    ("after", "moves"), [("7", True), ("30", True), ("6", False), ("x", False)]
)
def test_a_snapshot_moves_the_cursor_forward_only(after: str, moves: bool) -> None:
    cursor = Cursor("7")

    assert cursor.skip_to(after) is moves
    assert cursor.after == (after if moves else "7")


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(OffsetInvalid):
        Cursor("somewhere")
