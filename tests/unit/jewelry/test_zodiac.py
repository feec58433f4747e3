import pytest

from potok_apps.jewelry.catalogue import read_catalogue
from potok_apps.jewelry.zodiac import SIGNS, Birthday, find_birthday, find_sign, sign_of

EDGES = [
    ("Козерог", (12, 22), (1, 19)),
    ("Водолей", (1, 20), (2, 18)),
    ("Рыбы", (2, 19), (3, 20)),
    ("Овен", (3, 21), (4, 19)),
    ("Телец", (4, 20), (5, 20)),
    ("Близнецы", (5, 21), (6, 20)),
    ("Рак", (6, 21), (7, 22)),
    ("Лев", (7, 23), (8, 22)),
    ("Дева", (8, 23), (9, 22)),
    ("Весы", (9, 23), (10, 22)),
    ("Скорпион", (10, 23), (11, 21)),
    ("Стрелец", (11, 22), (12, 21)),
]


@pytest.mark.parametrize(("name", "first", "last"), EDGES)
def test_a_sign_holds_from_its_first_day_to_its_last(
    name: str, first: tuple[int, int], last: tuple[int, int]
) -> None:
    assert sign_of(*first).name.ru == name
    assert sign_of(*last).name.ru == name


def test_the_leap_day_and_the_turn_of_the_year_have_signs() -> None:
    assert sign_of(2, 29).name.ru == "Рыбы"
    assert sign_of(12, 31).name.ru == "Козерог"
    assert sign_of(1, 1).name.ru == "Козерог"


def test_every_sign_has_pieces_and_both_languages() -> None:
    worn = {sign for one in read_catalogue() for sign in one.zodiac}

    assert SIGNS.keys() == worn
    assert all(sign.name.ru and sign.name.en and sign.mood.ru for sign in SIGNS.values())


@pytest.mark.parametrize(
    ("text", "birthday"),
    [
        ("3 апреля", Birthday(day=3, month=4)),
        ("Я родилась 3 апреля 1990 года", Birthday(day=3, month=4, year=1990)),
        ("03.04.1990", Birthday(day=3, month=4, year=1990)),
        ("мой день рождения 3.4", Birthday(day=3, month=4)),
        ("1990-04-03", Birthday(day=3, month=4, year=1990)),
        ("третьего апреля", Birthday(day=3, month=4)),
        ("двадцать первого марта", Birthday(day=21, month=3)),
        ("двадцатого мая", Birthday(day=20, month=5)),
        ("тридцатого июня", Birthday(day=30, month=6)),
        ("29 февраля", Birthday(day=29, month=2)),
        ("29.02.2000", Birthday(day=29, month=2, year=2000)),
        ("15/08/85", Birthday(day=15, month=8, year=1985)),
        ("22 дек", Birthday(day=22, month=12)),
        ("born on April 3, 1990", Birthday(day=3, month=4, year=1990)),
        ("3rd of April", Birthday(day=3, month=4)),
        ("5-го октября", Birthday(day=5, month=10)),
    ],
)
def test_a_day_of_birth_is_read(text: str, birthday: Birthday) -> None:
    assert find_birthday(text) == birthday


@pytest.mark.parametrize(
    "text",
    [
        "31 февраля",
        "32.01.1990",
        "29.02.1999",
        "00.05.2000",
        "кольцо до 50 000 рублей",
        "17,5 размер",
        "в мае",
        "1.13",
        "подарок жене на 8 марта до 10 тысяч",
        "8 марта",
        "у нас 5 мая годовщина, что подарить жене?",
        "",
    ],
)
def test_what_is_no_day_is_not_read(text: str) -> None:
    assert find_birthday(text) is None


def test_who_is_asked_may_be_born_on_a_holiday() -> None:
    assert find_birthday("8 марта", is_asked=True) == Birthday(day=8, month=3)
    assert find_birthday("я родилась 8 марта") == Birthday(day=8, month=3)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Я Овен", "Овен"),
        ("подарок тельцу", "Телец"),
        ("по знаку зодиака лев", "Лев"),
        ("она Дева", "Дева"),
        ("гороскоп для рыб", "Рыбы"),
        ("Скорпионам идёт гранат?", "Скорпион"),
        ("мама Стрелец", "Стрелец"),
        ("My sign is Leo", "Лев"),
    ],
)
def test_a_sign_is_heard(text: str, name: str) -> None:
    sign = find_sign(text)

    assert sign is not None
    assert sign.name.ru == name


@pytest.mark.parametrize(
    "text", ["браслет с рыбами", "весы на кухне", "Лев Толстой", "рак лёгких", "кольцо с топазом"]
)
def test_ordinary_words_are_no_signs(text: str) -> None:
    assert find_sign(text) is None
