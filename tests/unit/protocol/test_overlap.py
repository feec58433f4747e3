import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from potok.limits import ANCHOR_CHARACTERS_MAX, OVERLAP_CHARACTERS_MIN
from potok.protocol.overlap import Join, find_anchor, joined

# No two of them have a letter beside the common end, so that no text of them says eight characters
# twice.
WORDS = tuple(f"{letter}0{letter}ёж🦔" for letter in "abcdefghijklmnopqrstuvwxyzбгдзилпфцчшщ")
BLANKS = (" ", "\n", "\n\n", "  ", ", ", ".\n- ")
TEXT = (
    "Поток хранит каждое слово до того, как его увидят.\n\n1. Сначала журнал.\n2. Потом читатели."
    "\n\nA reader that comes back gets what follows, and nothing of it twice."
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=4, max_size=30, unique=True))
    return "".join(word + draw(st.sampled_from(BLANKS)) for word in words).rstrip()


def in_pieces(said: str, pieces: list[str], **more: str) -> str:
    join = Join(said, **more)  # type: ignore[arg-type]
    return said + "".join(join.feed(piece) for piece in pieces) + join.finish()


def cut_up(text: str, sizes: list[int]) -> list[str]:
    pieces = []
    while text:
        size = sizes.pop() if sizes else 3
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@pytest.mark.parametrize("cut", range(1, len(TEXT)))
def test_an_exact_continuation_is_joined_at_every_cut(cut: int) -> None:
    assert joined(TEXT[:cut], TEXT[cut:]) == TEXT


@pytest.mark.parametrize("cut", range(1, len(TEXT)))
@pytest.mark.parametrize("again", [OVERLAP_CHARACTERS_MIN, 20, 1000])
def test_words_said_again_are_left_out_at_every_cut(cut: int, again: int) -> None:
    # What is said again begins with a letter, as every answer does.
    start = max(0, cut - again)
    while start and TEXT[start].isspace():
        start -= 1
    if len(TEXT[start:cut].rstrip()) < min(OVERLAP_CHARACTERS_MIN, cut):
        start = max(0, start - OVERLAP_CHARACTERS_MIN)

    if len(TEXT[start:cut].rstrip()) >= OVERLAP_CHARACTERS_MIN:
        assert joined(TEXT[:cut], TEXT[start:]) == TEXT


@given(texts(), st.data())
def test_a_continuation_that_is_exact_or_overlaps_is_joined_exactly_whatever_its_pieces(
    text: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(text) - 1))
    start = data.draw(st.sampled_from([cut, 0, max(0, cut - 12), max(0, cut - 40)]))
    assume(start == cut or not text[start].isspace())
    assume(start == cut or len(text[start:cut].rstrip()) >= OVERLAP_CHARACTERS_MIN)
    sizes = data.draw(st.lists(st.integers(1, 9), max_size=30))

    assert in_pieces(text[:cut], cut_up(text[start:], sizes)) == text


@given(texts(), st.data())
def test_a_begun_answer_goes_on_exactly_with_or_without_its_beginning(
    text: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(text) - 1))
    said = text[:cut]
    shown = said.rstrip()
    assume(shown)
    rest = text[len(shown) :]
    sizes = data.draw(st.lists(st.integers(1, 9), max_size=30))

    assert in_pieces(said, cut_up(rest, list(sizes)), repeats="whole") == text
    if len(shown) >= OVERLAP_CHARACTERS_MIN:
        assert in_pieces(said, cut_up(shown + rest, sizes), repeats="whole") == text


@given(
    st.text(alphabet="ab \n1ё", max_size=40),
    st.text(alphabet="ab \n1ё", max_size=40),
    st.lists(st.integers(1, 7), max_size=20),
    st.sampled_from(["any", "whole"]),
)
def test_only_what_stands_at_the_end_is_ever_left_out(
    said: str, continuation: str, sizes: list[int], repeats: str
) -> None:
    whole = in_pieces(said, cut_up(continuation, sizes), repeats=repeats)

    added = whole[len(said) :]
    words = "".join(added.split())
    rest = "".join(continuation.split())
    left_out = rest[: len(rest) - len(words)]
    assert rest.endswith(words)
    assert "".join(said.split()).endswith(left_out)
    assert whole == joined(said, continuation, repeats=repeats)  # type: ignore[arg-type]


@given(st.text(alphabet="abё1 ", min_size=1, max_size=8), st.integers(2, 8), st.data())
def test_in_a_text_that_repeats_itself_nothing_is_lost(
    unit: str, times: int, data: st.DataObject
) -> None:
    text = unit * times
    cut = data.draw(st.integers(len(unit) * 2, len(text)))
    assume(len(text[:cut].rstrip()) >= 2 * len(unit))

    assert joined(text[:cut], text[cut:]).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("said", "continuation", "whole"),
    [
        # A word that was cut goes on, or is begun anew.
        ("The quick bro", "wn fox", "The quick brown fox"),
        ("The quick bro", "brown fox", "The quick brown fox"),
        # Too little to be more than chance.
        ("The bo", "ok", "The book"),
        ("It is the ", "the best", "It is the the best"),
        # Rephrased: all of it stays.
        ("One, two, ", "then three", "One, two, then three"),
        # Blanks at the join, in words that are said again.
        ("It ends here.\n\n", "It ends here.\n\nNext", "It ends here.\n\nNext"),
        ("It ends here.\n\n", "It ends here. Next", "It ends here.\n\nNext"),
        ("It ends here.", "\nIt ends here. Next", "It ends here. Next"),
        # Blanks of an exact continuation are its own.
        ("a\n", "\nb", "a\n\nb"),
        ("Hello,", " world", "Hello, world"),
        # All of it, once more.
        ("Hello", "Hello, world!", "Hello, world!"),
        # A row that was said twice may well be said a third time.
        ("| a | b |\n| a | b |\n", "| a | b |\n", "| a | b |\n| a | b |\n| a | b |\n"),
        ("ха ха ха ха ", "ха ха!", "ха ха ха ха ха ха!"),
        ("", " x", " x"),
        ("x", "", "x"),
        ("said so much", "said so much", "said so much"),
    ],
)
def test_what_the_join_makes_of(said: str, continuation: str, whole: str) -> None:
    assert joined(said, continuation) == whole
    assert in_pieces(said, list(continuation)) == whole


@pytest.mark.parametrize(
    ("said", "continuation", "whole"),
    [
        ("It ends.\n\n", "\n\nNext", "It ends.\n\nNext"),
        ("It ends.\n\n", " Next", "It ends.\n\nNext"),
        ("It ends.\n\n", "\n\n\nNext", "It ends.\n\n\nNext"),
        ("It ends. ", "Next", "It ends. Next"),
        ("aaaa", "aaaa", "aaaaaaaa"),
        ("ends ", "  ", "ends  "),
    ],
)
def test_what_a_begun_answer_becomes(said: str, continuation: str, whole: str) -> None:
    assert joined(said, continuation, repeats="whole") == whole
    assert in_pieces(said, list(continuation), repeats="whole") == whole


def test_no_more_is_held_back_than_may_still_be_a_repetition() -> None:
    join = Join("one two three four")

    assert join.feed("three fo") == ""
    assert join.feed("x") == "three fox"
    assert join.feed(" six") == " six"


def test_a_long_text_is_compared_once() -> None:
    text = "".join(f"{number} sheep jump. " for number in range(20_000))
    join = Join(text)

    held = [join.feed(text[at : at + 7]) for at in range(0, len(text), 7)]
    assert "".join(held) == ""
    assert join.feed("End") == "End"


def test_the_anchor_is_the_last_words_and_stands_nowhere_else() -> None:
    anchor = find_anchor("One two three four five six seven eight nine ten eleven\n")

    assert anchor == "eight nine ten eleven"
    assert find_anchor("too short") is None
    assert find_anchor("ha " * 100) is None
    assert find_anchor("x" * 3 * ANCHOR_CHARACTERS_MAX) is None
