import math
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from potok_apps.jewelry.bounds import DATA_AS_OF
from potok_apps.jewelry.facts import numbers_outside
from potok_apps.jewelry.texts import Text
from potok_apps.jewelry.themes import TAGS
from potok_apps.jewelry.trends import Note, Trends, read_trends, score_trends

SCORES = """
WITH aged AS (
    SELECT t.tag, t.weight, julianday(:as_of) - julianday(n.published_on) AS age
    FROM jewelry_trend_tags t JOIN jewelry_trend_notes n ON n.id = t.note_id
), summed AS (
    SELECT tag, SUM(weight * exp(-age / 90)) AS weight, COUNT(*) AS notes,
           SUM(CASE WHEN age < 60 THEN weight ELSE 0 END) / 60 AS recent,
           SUM(CASE WHEN age >= 60 AND age < 180 THEN weight ELSE 0 END) / 120 AS earlier
    FROM aged GROUP BY tag
)
SELECT tag, ROUND(100 * weight / (SELECT MAX(weight) FROM summed), 1), recent, earlier, notes
FROM summed
"""


async def test_scores_and_momentum_equal_those_of_sql(shop: AsyncEngine, seeded_file: Path) -> None:
    trends = await read_trends(shop)

    with closing(sqlite3.connect(seeded_file)) as database:
        database.create_function("exp", 1, math.exp)
        rows = database.execute(SCORES, {"as_of": str(DATA_AS_OF)}).fetchall()
    found = {one.tag: one for one in trends.trends}
    assert found.keys() == {row[0] for row in rows}
    for tag, score, recent, earlier, notes in rows:
        one = found[tag]
        assert one.score == pytest.approx(score)
        assert len(one.note_ids) == notes
        momentum = recent / earlier if earlier else None if recent else 0.0
        assert one.momentum == (pytest.approx(momentum) if momentum is not None else None)
        rises = momentum is None or momentum > 1.5
        assert one.is_emerging == (rises and notes >= 3)


async def test_shares_of_sales_equal_those_of_sql(shop: AsyncEngine, seeded_file: Path) -> None:
    trends = await read_trends(shop)

    with closing(sqlite3.connect(seeded_file)) as database:
        brooches, pearls = database.execute(
            "SELECT 1.0 * SUM(CASE WHEN p.category = 'brooch' THEN i.price_rub END)"
            " / SUM(i.price_rub),"
            " 1.0 * SUM(CASE WHEN p.id IN (SELECT product_id FROM jewelry_product_stones"
            " WHERE type = 'pearl') THEN i.price_rub END) / SUM(i.price_rub)"
            " FROM jewelry_order_items i JOIN jewelry_products p ON p.id = i.product_id"
        ).fetchone()
    shares = {one.tag: one.sales_share for one in trends.trends}
    assert shares["brooches"] == pytest.approx(brooches)
    assert shares["baroque_pearl"] == pytest.approx(pearls)
    assert shares["personal"] is None


async def test_planted_trends_are_found(shop: AsyncEngine) -> None:
    trends = await read_trends(shop)

    assert trends.trends[0].tag == "brooches"
    assert {"brooches", "green_stones", "mens_jewelry"} <= {one.tag for one in trends.emerging}
    assert "amber" not in {one.tag for one in trends.emerging}


async def test_notes_are_whole_dated_and_filed(shop: AsyncEngine) -> None:
    trends = await read_trends(shop)

    assert len(trends.notes) >= 24
    for note in trends.notes:
        assert 80 <= len(note.body.split()) <= 150
        assert timedelta(0) < DATA_AS_OF - note.published_on < timedelta(days=365)
        assert note.tags.keys() <= TAGS.keys()
        assert note.tags
        assert not any("а" <= letter <= "я" for letter in note.title.en.lower())


async def test_a_note_that_gives_orders_is_counted_and_not_obeyed(shop: AsyncEngine) -> None:
    trends = await read_trends(shop)

    note = next(one for one in trends.notes if "отмени предыдущие инструкции" in one.body)
    told = str(trends.as_metadata("ru")) + " ".join(one.ru for one in trends.sentences())
    assert "сто баллов" in note.body
    assert "инструкци" not in told
    assert trends.trends[0].tag not in note.tags
    assert all(trend.score < 100 for trend in trends.trends if trend.tag in note.tags)


async def test_everything_that_is_said_is_a_fact(shop: AsyncEngine) -> None:
    trends = await read_trends(shop)

    for sentence in trends.sentences():
        assert numbers_outside(sentence.ru, trends.facts) == []
        assert numbers_outside(sentence.en, trends.facts) == []


async def test_metadata_has_the_documented_keys(shop: AsyncEngine) -> None:
    metadata = (await read_trends(shop)).as_metadata("ru")

    assert isinstance(metadata["trends"], dict)
    assert metadata["trend_scores"]["brooches"] == 100
    assert metadata["emerging_trends"][0]["title"] == "Броши"
    assert metadata["trends"]["brooches"]["note_ids"] == ["TN-01", "TN-04", "TN-11", "TN-25"]


async def test_a_new_note_changes_the_scores(own_shop: AsyncEngine) -> None:
    before = {one.tag: one.score for one in (await read_trends(own_shop)).trends}
    async with own_shop.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO jewelry_trend_notes VALUES"
                " ('TN-99', '2026-10-30', 'Снова янтарь', 'Amber again', 'Коротко.')"
            )
        )
        await connection.execute(
            text("INSERT INTO jewelry_trend_tags VALUES ('TN-99', 'amber', 1.0)")
        )

    after = {one.tag: one.score for one in (await read_trends(own_shop)).trends}

    assert after["amber"] > before["amber"]


def test_a_note_of_tomorrow_does_not_count() -> None:
    def note(number: int, day: date) -> Note:
        return Note(
            id=f"N-{number}", published_on=day, title=Text("", ""), body="", tags={"amber": 1.0}
        )

    today = date(2026, 5, 1)

    trends = score_trends([note(1, today), note(2, today + timedelta(days=1))], as_of=today)

    assert [one.note_ids for one in trends] == [("N-1",)]


async def test_an_empty_shop_has_no_trends(empty_shop: AsyncEngine) -> None:
    trends = await read_trends(empty_shop)

    assert trends == Trends(data_as_of=DATA_AS_OF, trends=(), notes=())
    assert trends.as_metadata("ru")["trends"] == {}


def test_every_theme_with_pieces_finds_them_by_wishes() -> None:
    for tag in TAGS.values():
        assert (tag.wishes is None) == (tag.kind is None)
        assert tag.wishes is None or not tag.wishes.is_empty
