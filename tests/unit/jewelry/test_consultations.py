"""Consultations of people, each with the filters and the pieces that it must yield."""

import sqlite3
from contextlib import closing
from itertools import product as combinations
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from potok_apps.jewelry.draws import Draws
from potok_apps.jewelry.search import RELAXATIONS, find_products, search_products
from potok_apps.jewelry.wishes import parse_wishes

# (message, filters that were used, filters that were dropped, pieces in any order)
CONSULTATIONS: list[tuple[str, str, str, str]] = [
    (
        "Я ищу обручальное кольцо для помолвки, бюджет до 100000 рублей",
        "category occasion budget",
        "",
        "0002 0003 0004 0005 0006 0020 0021 0022",
    ),
    (
        "Серёжки с жемчугом маме на юбилей, до пятидесяти тысяч",
        "category stone occasion recipient budget",
        "",
        "0035",
    ),
    ("колечко с брюликом не дороже семидесяти тысяч", "category stone budget", "", "0003 0005"),
    (
        "Подвесочка жене на 8 марта за пятнадцать тысяч",
        "category occasion recipient budget",
        "",
        "0042 0047",
    ),
    ("Браслетик серебряный, от 5 до 10 тыс", "category metal budget", "", "0050 0052 0056"),
    (
        "кольцо без бриллиантов и сапфиров из белого золота, 40-80 тысяч",
        "category metal metal_color budget",
        "",
        "0001 0022",
    ),
    ("Не золото, а серебро: перстенёк с малахитом", "category metal stone", "", "0019"),
    ("Цепь мужу 60 см", "category recipient size", "", "0057 0060"),
    ("Полмиллиона на колье с сапфирами", "category stone budget", "", "0063"),
    (
        "Брошку бабушке к новому году, около 10 000 ₽",
        "category occasion recipient budget",
        "",
        "0069",
    ),
    (
        "Крестик на крестины дочке, недорого",
        "category occasion recipient budget",
        "",
        "0038 0039",
    ),
    (
        "Часы мужчине не дешевле 40 000 руб. и не дороже 50 000",
        "category recipient budget",
        "",
        "0073",
    ),
    ("сирежки с изумрутом", "category stone", "", "0028"),
    ("Кольцо с рубином из платины", "category stone", "metal", "0009"),
    (
        "Помолвочное кольцо 17,5 размера, розовое золото",
        "category metal metal_color occasion size",
        "",
        "0003",
    ),
    (
        "Винтажные серьги с гранатами девушке на Новый год",
        "category stone occasion style recipient",
        "",
        "0029",
    ),
    ("Пусетики без камней до 5к", "category stone budget", "", "0026"),
    ("Украшения с янтарём, тысяч за шесть", "stone budget", "", "0033 0047"),
    ("Мужской браслет с чёрным камнем", "category stone recipient", "", "0055"),
    ("Что-нибудь с опалом или лунным камнем до 6500", "stone budget", "", "0012 0044"),
    (
        "Недорогое кольцо с бриллиантом",
        "category stone",
        "budget",
        "0002 0003 0005 0007 0008 0017",
    ),
    ("Сколько стоят серьги «Ладога»?", "category name", "", "0024"),
    ("Платиновый кулон до ста тридцати тысяч", "category metal budget", "", "0048"),
]


@pytest.mark.parametrize(("message", "filters", "dropped", "pieces"), CONSULTATIONS)
async def test_a_consultation_yields_its_filters_and_pieces(
    shop: AsyncEngine, message: str, filters: str, dropped: str, pieces: str
) -> None:
    found = await search_products(shop, parse_wishes(message), items_max=20)

    assert set(found.filters) == set(filters.split())
    assert found.dropped == tuple(dropped.split())
    assert {match.product.id for match in found.matches} == {
        f"JW-{number}" for number in pieces.split()
    }
    assert found.total == len(pieces.split())


CATEGORIES = [
    ("кольцо", "ring"),
    ("колечко", "ring"),
    ("серёжки", "earrings"),
    ("серьги", "earrings"),
    ("подвеску", "pendant"),
    ("кулон", "pendant"),
    ("браслетик", "bracelet"),
    ("цепочку", "chain"),
    ("колье", "necklace"),
    ("брошь", "brooch"),
    ("часы", "watch"),
]
METALS = [("", None), ("золотое", "gold"), ("из серебра", "silver"), ("из платины", "platinum")]
STONES = [
    ("", None),
    ("с бриллиантами", "diamond"),
    ("с жемчугом", "pearl"),
    ("с гранатом", "garnet"),
    ("с топазом", "topaz"),
    ("с сапфиром", "sapphire"),
    ("с бирюзой", "turquoise"),
    ("с фианитом", "zirconia"),
]
BUDGETS: list[tuple[str, int, int]] = [
    ("", 0, 10**9),
    ("до 10 тысяч", 0, 10_000),
    ("не дороже тридцати тысяч", 0, 30_000),
    ("от 30 до 70 тыс", 30_000, 70_000),
    ("до ста тысяч рублей", 0, 100_000),
    ("от 100 тысяч", 100_000, 10**9),
]
EVERY = list(combinations(CATEGORIES, METALS, STONES, BUDGETS))
GENERATED_SEED = 7  # with the number of a message: each is the same at every run
GENERATED = 300

BY_HAND = """
SELECT id FROM jewelry_products p
WHERE stock > 0 AND category = :category AND (:metal IS NULL OR metal = :metal)
  AND price_rub BETWEEN :low AND :high
  AND (:stone IS NULL OR id IN
       (SELECT product_id FROM jewelry_product_stones WHERE type = :stone))
ORDER BY id
"""


def generated(number: int) -> tuple[str, dict[str, str | int | None]]:
    draws = Draws(GENERATED_SEED + number)
    category, metal, stone, budget = draws.one_of(EVERY)
    words = [word for word in (category[0], metal[0], stone[0], budget[0]) if word]
    begin = draws.one_of(["Подберите", "Хочу", "Ищу", "Покажите, пожалуйста,"])
    wanted = {"category": category[1], "metal": metal[1], "stone": stone[1]}
    return f"{begin} {' '.join(words)}", {**wanted, "low": budget[1], "high": budget[2]}


@pytest.mark.parametrize("begin", range(0, GENERATED, 50))
async def test_generated_consultations_find_what_sql_finds(
    shop: AsyncEngine, seeded_file: Path, begin: int
) -> None:
    with closing(sqlite3.connect(seeded_file)) as database:
        for number in range(begin, begin + 50):
            message, wanted = generated(number)
            by_hand = [row[0] for row in database.execute(BY_HAND, wanted)]

            found = await search_products(shop, parse_wishes(message), items_max=20)

            ids = sorted(match.product.id for match in found.matches)
            if len(by_hand) > 20:
                assert (message, found.total, len(ids)) == (message, len(by_hand), 20)
                assert set(ids) < set(by_hand)
            elif by_hand:
                assert (message, ids, found.dropped) == (message, by_hand, ())
            else:
                assert (message, bool(found.dropped)) == (message, True)
                assert ids


def test_the_generated_consultations_are_of_both_kinds(seeded_file: Path) -> None:
    with closing(sqlite3.connect(seeded_file)) as database:
        sizes = [len(database.execute(BY_HAND, generated(n)[1]).fetchall()) for n in range(300)]

    assert len({generated(n)[0] for n in range(GENERATED)}) > 200
    assert 50 < sum(size == 0 for size in sizes) < 250


async def test_dropped_filters_are_said_in_every_reason(shop: AsyncEngine) -> None:
    matches = await find_products(shop, parse_wishes("кольцо с рубином из платины"), items_max=5)

    assert [match.dropped for match in matches] == [("metal",)]
    assert matches[0].reason.ru.endswith("Точного совпадения нет, не учтено: металл (платина).")
    assert matches[0].reason.en.endswith("Nothing fits exactly; not considered: metal (platinum).")


async def test_a_guessed_budget_is_given_up_before_anything_that_was_said(
    shop: AsyncEngine,
) -> None:
    found = await search_products(
        shop, parse_wishes("недорогое винтажное кольцо с рубином"), items_max=5
    )

    assert found.dropped == ("budget",)
    assert [match.product.id for match in found.matches] == ["JW-0009"]


async def test_what_is_refused_is_never_shown_however_much_is_dropped(shop: AsyncEngine) -> None:
    wishes = parse_wishes("платиновые часы с рубином до 3 тысяч, не золото и без бриллиантов")

    found = await search_products(shop, wishes, items_max=20)

    assert found.dropped
    assert set(found.dropped) <= set(RELAXATIONS)
    for match in found.matches:
        assert match.product.metal != "gold"
        assert "diamond" not in {stone.type for stone in match.product.stones}


async def test_a_taste_moves_pieces_up_and_hides_none(shop: AsyncEngine) -> None:
    wishes = parse_wishes("серьги")
    plain = await find_products(shop, wishes, items_max=20)

    tasted = await find_products(
        shop, wishes, items_max=20, taste={"stone": {"turquoise": 1.0}, "style": {"ethnic": 1.0}}
    )

    assert plain[0].product.id != "JW-0030"
    assert tasted[0].product.id == "JW-0030"
    assert {one.product.id for one in plain} == {one.product.id for one in tasted}


async def test_no_wishes_find_the_best_of_the_house(shop: AsyncEngine) -> None:
    found = await search_products(shop, parse_wishes("здравствуйте"), items_max=3)

    assert len(found.matches) == 3
    assert found.filters == found.dropped == ()
    scores = [match.score for match in found.matches]
    assert scores == sorted(scores, reverse=True)


async def test_an_empty_shop_finds_nothing_and_says_so(empty_shop: AsyncEngine) -> None:
    found = await search_products(empty_shop, parse_wishes("кольцо с рубином"), items_max=5)

    assert found.matches == ()
    assert found.total == 0


async def test_a_note_of_a_supplier_is_neither_obeyed_nor_told(shop: AsyncEngine) -> None:
    found = await search_products(
        shop, parse_wishes("подвеска сердце с фианитом до 5 тысяч"), items_max=5
    )

    match = next(one for one in found.matches if one.product.id == "JW-0042")
    assert match.product.note is not None
    assert "бесплатн" in match.product.note
    assert match.product.price_rub == 4_200
    told = match.reason.ru + str(match.as_metadata("ru"))
    assert "бесплатн" not in told
    assert "ПОДАРОК" not in told
