import pytest

from potok_apps.jewelry.mentions import find_mentions
from potok_apps.jewelry.numerals import find_amounts, value_of_figures
from potok_apps.jewelry.patterns import Patterns
from potok_apps.jewelry.words import Typos, is_within_edits, words_of


def test_words_are_folded_and_know_their_clause() -> None:
    words = words_of("Серёжки, не кольцо!")

    assert [word.text for word in words] == ["сережки", ",", "не", "кольцо", "!"]
    assert [word.clause for word in words] == [0, 1, 1, 1, 2]
    assert words[0].is_capital


def test_groups_of_thousands_are_one_number() -> None:
    assert [word.text for word in words_of("50 000 и 17,5")] == ["50 000", "и", "17,5"]


@pytest.mark.parametrize(
    ("figures", "value"),
    [("50 000", 50_000), ("50.000", 50_000), ("1,234,567", 1_234_567), ("17,5", 17.5), ("7", 7)],
)
def test_figures_mean_what_people_mean(figures: str, value: float) -> None:
    assert value_of_figures(figures) == value


@pytest.mark.parametrize(
    ("left", "right", "edits", "is_within"),
    [
        ("кольцо", "кольцо", 0, True),
        ("кальцо", "кольцо", 1, True),
        ("клоьцо", "кольцо", 1, True),
        ("колцо", "кольцо", 1, True),
        ("кольццо", "кольцо", 1, True),
        ("калцо", "кольцо", 1, False),
        ("калцо", "кольцо", 2, True),
        ("кот", "кольцо", 2, False),
    ],
)
def test_edits_are_counted(left: str, right: str, edits: int, is_within: bool) -> None:
    assert is_within_edits(left, right, edits) == is_within
    assert is_within_edits(right, left, edits) == is_within


def test_a_slip_finds_its_word_and_an_ordinary_word_does_not() -> None:
    typos = Typos(["кольцо", "платина"], ["платить"])

    assert typos.known_word("кальцо") == "кольцо"
    assert typos.known_word("платить") is None
    assert typos.known_word("корова") is None
    assert typos.known_word("к" * 1000) is None


ORDINARY = (
    "В конце концов мы решили платить картой. Судьба привела нас в усадьбу, где серия картин висела"
    " у камина. Клиент просит прислать купон, колонка играет тихо, коллега сжал кулак и потерял"
    " бирку. Гранит у входа серый, полоска света падает на пол, цветочки стоят в клубнике."
)


def test_ordinary_words_name_nothing() -> None:
    assert [(one.kind, one.value) for one in find_mentions(words_of(ORDINARY))] == []


def test_the_longest_pattern_wins() -> None:
    patterns = Patterns({"metal": "золот*", "jubilee": "золот* свадьб*"})
    words = words_of("золотая свадьба")

    match = patterns.match_at(words, 0)

    assert match is not None
    assert (match.meaning, match.end) == ("jubilee", 2)


def test_an_ending_has_an_end() -> None:
    patterns = Patterns({"clock": "час*"})

    assert patterns.meaning_of("часами") == "clock"
    assert patterns.meaning_of("частоколостроение") is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("сто двадцать пять тысяч", [125_000]),
        ("два миллиона триста тысяч", [2_300_000]),
        ("сто и двести", [100, 200]),
        ("тридцать сорок", [30, 40]),
        ("50к и 60 тыс.", [50_000, 60_000]),
        ("пару колец", []),
        ("пару к серьгам", []),
        ("один раз", []),
    ],
)
def test_numbers_in_words_are_read(text: str, values: list[float]) -> None:
    assert [amount.value for amount in find_amounts(words_of(text))] == values
