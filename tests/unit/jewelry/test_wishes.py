from typing import Any

import pytest

from potok_apps.jewelry.preferences import Preferences, describe, remarks_on
from potok_apps.jewelry.wishes import parse_wishes

WISHES: list[tuple[str, dict[str, Any]]] = [
    # Word forms, diminutives, ё.
    ("кольцо", {"category": "ring"}),
    ("пару колец", {"category": "ring"}),
    ("КОЛЕЧКО", {"category": "ring"}),
    ("перстнем", {"category": "ring"}),
    ("серёжки", {"category": "earrings"}),
    ("сережек", {"category": "earrings"}),
    ("пусетики", {"category": "earrings"}),
    ("подвесочку", {"category": "pendant"}),
    ("кулончик", {"category": "pendant"}),
    ("браслетик", {"category": "bracelet"}),
    ("цепочечка", {"category": "chain"}),
    ("бусики", {"category": "necklace"}),
    ("брошкой", {"category": "brooch"}),
    ("часики", {"category": "watch"}),
    ("серебряный", {"metal": "silver"}),
    ("в золоте", {"metal": "gold"}),
    ("из белого золота", {"metal": "gold", "metal_color": "white"}),
    ("красное золото", {"metal": "gold", "metal_color": "rose"}),
    ("белое или розовое золото", {"metal": "gold", "metal_color": ["white", "rose"]}),
    ("с жемчужинами", {"stone": "pearl"}),
    ("брюлик", {"stone": "diamond"}),
    ("с лунным камнем", {"stone": "moonstone"}),
    ("с зелёными камнями", {"stone": ["emerald", "malachite", "peridot"]}),
    ("кольцо с камнем", {"category": "ring", "stone": "any"}),
    ("гладкое кольцо", {"category": "ring", "stone": "none"}),
    ("серьги-кольца", {"category": "earrings"}),
    ("крестик", {"category": "pendant", "occasion": "christening"}),
    # Slips.
    ("кальцо", {"category": "ring"}),
    ("сирежки", {"category": "earrings"}),
    ("с сопфиром", {"stone": "sapphire"}),
    ("с изумрутом", {"stone": "emerald"}),
    ("с бриллиянтом", {"stone": "diamond"}),
    ("на памолвку", {"occasion": "engagement"}),
    # Occasions and people.
    ("на помолвку", {"occasion": "engagement"}),
    ("хочу сделать предложение девушке", {"occasion": "engagement", "recipient": "girlfriend"}),
    ("обручальные", {"occasion": "wedding"}),
    ("на золотую свадьбу", {"occasion": "anniversary"}),
    ("на годовщину свадьбы", {"occasion": "anniversary"}),
    ("к 8 Марта", {"occasion": "march_8"}),
    ("на 8-е марта", {"occasion": "march_8"}),
    ("на день рождения", {"occasion": "birthday"}),
    ("под ёлку", {"occasion": "new_year"}),
    ("на 14 февраля", {"occasion": "valentine"}),
    ("на каждый день", {"occasion": "everyday"}),
    ("на крещение", {"occasion": "christening"}),
    ("маме", {"recipient": "mother"}),
    ("для жены", {"recipient": "wife"}),
    ("молодому человеку", {"recipient": "boyfriend"}),
    ("подруга посоветовала вас", {}),
    ("в стиле минимализм", {"style": "minimalism"}),
    ("что-то винтажное", {"style": "vintage"}),
    # Sizes and things that are no budget.
    ("размер 17,5", {"size": "17.5"}),
    ("18-й размер", {"size": "18"}),
    ("цепочка 45 см", {"category": "chain", "size": "45"}),
    ("золото 585 пробы", {"metal": "gold"}),
    ("бриллиант 0,5 карата", {"stone": "diamond"}),
    ("на 25-летие сестре", {"occasion": "anniversary", "recipient": "sister"}),
    ("позвоните через 5 часов", {}),
    ("заказ от 03.04.2026", {}),
    # Names of pieces; a title that is an ordinary word counts where it is written as a name.
    ("кольцо «Северное сияние»", {"category": "ring", "named": ["JW-0001"]}),
    ("насчёт Северного сияния", {"named": ["JW-0001"]}),
    ("серьги Ладога", {"category": "earrings", "named": ["JW-0024", "JW-0062"]}),
    ("JW-0042 ещё есть?", {"named": ["JW-0042"]}),
    ("JW-9999", {}),
    ("разбил сердце", {}),
    ("Весна пришла", {}),
    # What is refused, and what is not.
    ("не золото", {"without": [{"kind": "metal", "value": "gold"}]}),
    ("кроме жемчуга", {"without": [{"kind": "stone", "value": "pearl"}]}),
    ("жемчуг не люблю", {"without": [{"kind": "stone", "value": "pearl"}]}),
    ("аллергия на серебро", {"without": [{"kind": "metal", "value": "silver"}]}),
    (
        "без бриллиантов и сапфиров",
        {
            "without": [
                {"kind": "stone", "value": "diamond"},
                {"kind": "stone", "value": "sapphire"},
            ]
        },
    ),
    (
        "не кольцо, а серьги",
        {"category": "earrings", "without": [{"kind": "category", "value": "ring"}]},
    ),
    (
        "без бриллиантов, с топазом",
        {"stone": "topaz", "without": [{"kind": "stone", "value": "diamond"}]},
    ),
    ("не знаю, кольцо или серьги", {"category": ["ring", "earrings"]}),
    ("не знаю кольцо или серьги", {"category": ["ring", "earrings"]}),
    ("золото не обязательно, главное изумруд", {"stone": "emerald"}),
    ("не хочу ничего золотого", {"without": [{"kind": "metal", "value": "gold"}]}),
    ("не только золото", {"metal": "gold"}),
    # English.
    (
        "gold ring with a sapphire for my wife",
        {"category": "ring", "metal": "gold", "stone": "sapphire", "recipient": "wife"},
    ),
    (
        "earrings without diamonds",
        {"category": "earrings", "without": [{"kind": "stone", "value": "diamond"}]},
    ),
]


def understood(message: str, history: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    found = parse_wishes(message, history).as_metadata()
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize(("message", "wishes"), WISHES)
def test_a_wish_is_understood(message: str, wishes: dict[str, Any]) -> None:
    assert understood(message) == wishes


BUDGETS: list[tuple[str, int | None, int | None]] = [
    ("до 100 тысяч", None, 100_000),
    ("бюджет до 100000 рублей", None, 100_000),
    ("до ста тысяч", None, 100_000),
    ("сто двадцать пять тысяч пятьсот рублей", None, 125_500),
    ("от 20 до 30 тыс", 20_000, 30_000),
    ("от двадцати до тридцати тысяч", 20_000, 30_000),
    ("20-30 тысяч", 20_000, 30_000),
    ("50000–70000", 50_000, 70_000),
    ("между 30 и 40 тысячами", 30_000, 40_000),
    ("не дороже 50к", None, 50_000),
    ("не больше восьмидесяти тысяч", None, 80_000),
    ("больше 100 тысяч не потрачу", None, 100_000),
    ("полмиллиона", None, 500_000),
    ("полтора миллиона", None, 1_500_000),
    ("до 1,5 млн", None, 1_500_000),
    ("около 40 000 ₽", 34_000, 46_000),
    ("примерно сорок тысяч", 34_000, 46_000),
    ("до 90 т.р.", None, 90_000),
    ("15 тыс. руб.", None, 15_000),
    ("тридцать тыщ", None, 30_000),
    ("тысяч за сорок", None, 40_000),
    ("тысяч за шесть", None, 6_000),
    ("пара тысяч", None, 2_000),
    ("бюджет 80", None, 80_000),
    ("подарок до 20", None, 20_000),
    ("не дешевле 40 000", 40_000, None),
    ("от 100 тысяч и выше", 100_000, None),
    ("50 тысяч максимум", None, 50_000),
    ("50.000 рублей", None, 50_000),
    ("в пределах пятидесяти тысяч", None, 50_000),
    ("кольцо 2026 года", None, None),
    ("цена не важна", None, None),
    ("пару слов о кольце", None, None),
    ("мне 35 лет", None, None),
    ("under 100k", None, 100_000),
    ("from 20 to 50 thousand roubles", 20_000, 50_000),
    ("around 5000 rubles", 4_250, 5_750),
]


@pytest.mark.parametrize(("message", "low", "high"), BUDGETS)
def test_a_budget_is_read(message: str, low: int | None, high: int | None) -> None:
    found = parse_wishes(message)

    assert (found.budget_min, found.budget_max) == (low, high)
    assert not found.is_budget_guessed


def test_words_for_cheap_and_dear_are_guesses() -> None:
    cheap, dear = parse_wishes("недорогое кольцо"), parse_wishes("роскошное колье")

    assert (cheap.budget_max, cheap.is_budget_guessed) == (30_000, True)
    assert (dear.budget_min, dear.is_budget_guessed) == (150_000, True)


def test_a_foreign_currency_is_owned_up_to() -> None:
    found = parse_wishes("кольцо за 500$")

    assert found.budget_max is None
    assert found.is_currency_foreign
    assert [text.ru for text in remarks_on(found)] == [
        "Курсов валют я не знаю, назовите бюджет в рублях."
    ]


def test_what_the_house_does_not_have_is_said() -> None:
    found = parse_wishes("Бывают ли у вас запонки с агатом?")

    assert found.absent == ("cufflinks", "agate")
    assert [text.ru for text in remarks_on(found)] == ["Этого в доме нет: запонки, агат."]


FIRST = ("user", "Золотое кольцо с рубином жене до 100 тысяч")
ANSWER = ("assistant", "Есть серебряный браслет за 5 тысяч")


def test_a_later_turn_wins_field_by_field() -> None:
    found = parse_wishes("а в серебре?", [FIRST, ANSWER])

    assert found.metal == ("silver",)
    assert (found.category, found.stone, found.budget_max) == (("ring",), ("ruby",), 100_000)


def test_cheaper_is_cheaper_than_what_was_said() -> None:
    found = parse_wishes("а подешевле?", [FIRST, ANSWER])

    assert (found.budget_max, found.is_budget_guessed) == (70_000, True)


def test_what_was_refused_stays_refused_until_it_is_wanted() -> None:
    refused = parse_wishes("только без рубинов", [FIRST])
    wanted = parse_wishes("нет, всё же с рубином", [FIRST, ("user", "только без рубинов")])

    assert (refused.stone, refused.without) == ((), (("stone", "ruby"),))
    assert (wanted.stone, wanted.without) == (("ruby",), ())


def test_a_present_for_somebody_else_is_another_search() -> None:
    found = parse_wishes("а теперь браслет маме", [FIRST])

    assert understood("а теперь браслет маме", (FIRST,)) == {
        "category": "bracelet",
        "recipient": "mother",
    }
    assert found.budget_max is None


def test_a_named_piece_stays_named_until_another_kind_is_wanted() -> None:
    named = ("user", "кольцо «Северное сияние»")

    assert parse_wishes("есть 17 размер?", [named]).named == ("JW-0001",)
    assert parse_wishes("а серьги?", [named]).named == ()


def test_words_of_the_assistant_are_no_wishes() -> None:
    assert parse_wishes("спасибо", [ANSWER]).is_empty


def test_a_huge_message_is_read_at_its_beginning() -> None:
    found = parse_wishes("кольцо " + "и " * 200_000 + "с рубином")

    assert found == Preferences(category=("ring",))


def test_wishes_are_told_in_both_languages() -> None:
    wishes = parse_wishes("кольцо или серьги из золота с рубином, до 50 тысяч, не серебро")

    told = describe(wishes)

    assert told.ru.replace("\u00a0", " ") == (
        "кольцо или серьги, золото, рубин, до 50 000 ₽, не серебро"
    )
    assert told.en.replace("\u00a0", " ") == (
        "ring or earrings, gold, ruby, up to 50,000 ₽, not silver"
    )
