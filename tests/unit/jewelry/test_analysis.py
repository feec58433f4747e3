"""The analysis against the same numbers computed in SQL, by window functions and joins alone."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from math import sqrt
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from potok_apps.jewelry.analysis import Analyst, analyse
from potok_apps.jewelry.bounds import DATA_AS_OF
from potok_apps.jewelry.facts import numbers_outside
from potok_apps.jewelry.forecast import forecast_months, sum_months
from potok_apps.jewelry.ledger import OrderRow, read_ledger
from potok_apps.jewelry.rfm import score_customers

RFM = """
WITH customer AS (
    SELECT customer_id,
           CAST(julianday(:as_of) - julianday(MAX(ordered_on)) AS INTEGER) AS recency,
           COUNT(*) AS frequency, SUM(total_rub) AS money
    FROM jewelry_orders GROUP BY customer_id
), scored AS (
    SELECT *,
           1 + (RANK() OVER (ORDER BY recency DESC) - 1) * 5 / COUNT(*) OVER () AS r,
           1 + (RANK() OVER (ORDER BY frequency) - 1) * 5 / COUNT(*) OVER () AS f,
           1 + (RANK() OVER (ORDER BY money) - 1) * 5 / COUNT(*) OVER () AS m
    FROM customer
)
SELECT customer_id, recency, frequency, money, r, f, m,
       CASE WHEN r >= 4 AND f >= 4 AND m >= 4 THEN 'champions'
            WHEN r >= 3 AND f >= 3 THEN 'loyal'
            WHEN r >= 4 AND f <= 1 THEN 'newcomers'
            WHEN r >= 3 THEN 'promising'
            WHEN f >= 3 THEN 'at_risk'
            ELSE 'sleeping' END AS segment
FROM scored ORDER BY customer_id
"""

RULES = """
WITH basket AS (
    SELECT DISTINCT i.order_id, p.category
    FROM jewelry_order_items i JOIN jewelry_products p ON p.id = i.product_id
), alone AS (SELECT category, COUNT(*) AS n FROM basket GROUP BY category),
total AS (SELECT COUNT(*) AS n FROM jewelry_orders)
SELECT a.category, b.category, COUNT(*), 1.0 * COUNT(*) / total.n,
       1.0 * COUNT(*) / first.n, (1.0 * COUNT(*) / first.n) / (1.0 * second.n / total.n)
FROM basket a JOIN basket b ON a.order_id = b.order_id AND a.category <> b.category
JOIN alone first ON first.category = a.category
JOIN alone second ON second.category = b.category, total
GROUP BY a.category, b.category HAVING COUNT(*) >= 0.01 * total.n
"""

FORECAST = """
WITH month AS (
    SELECT substr(ordered_on, 1, 7) AS month, SUM(total_rub) AS revenue,
           ROW_NUMBER() OVER (ORDER BY substr(ordered_on, 1, 7)) AS n
    FROM jewelry_orders GROUP BY 1
), growth AS (
    SELECT 1.0 * SUM(CASE WHEN n > 18 THEN revenue END)
               / SUM(CASE WHEN n BETWEEN 7 AND 12 THEN revenue END) AS g FROM month
), missed AS (
    SELECT AVG((now.revenue / (before.revenue * g) - 1) * (now.revenue / (before.revenue * g) - 1))
           AS variance
    FROM month now JOIN month before ON before.n = now.n - 12, growth
)
SELECT month.n, month.revenue * g, g, variance
FROM month, growth, missed WHERE month.n BETWEEN 13 AND 15 ORDER BY month.n
"""


@pytest.fixture
def database(seeded_file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(seeded_file)) as connection:
        yield connection


async def test_scores_of_customers_equal_those_of_sql(
    shop: AsyncEngine, database: sqlite3.Connection
) -> None:
    ledger = await read_ledger(shop)

    scores = score_customers(ledger.orders, as_of=DATA_AS_OF)

    by_sql = database.execute(RFM, {"as_of": str(DATA_AS_OF)}).fetchall()
    assert len(by_sql) == 800
    assert [
        (one.customer_id, one.recency, one.frequency, one.money, one.r, one.f, one.m, one.segment)
        for one in scores
    ] == by_sql


async def test_segments_equal_those_of_sql_and_none_is_empty(
    shop: AsyncEngine, database: sqlite3.Connection
) -> None:
    analysis = await analyse(shop)

    by_sql = {
        row[0]: (row[1], row[2])
        for row in database.execute(
            f"SELECT segment, COUNT(*), SUM(money) FROM ({RFM}) GROUP BY segment",
            {"as_of": str(DATA_AS_OF)},
        )
    }
    assert {one.code: (one.customers, one.revenue_rub) for one in analysis.segments} == by_sql
    assert len(by_sql) == 6
    assert sum(one.share for one in analysis.segments) == pytest.approx(1)
    assert sum(one.revenue_share for one in analysis.segments) == pytest.approx(1)


async def test_rules_equal_those_of_sql(shop: AsyncEngine, database: sqlite3.Connection) -> None:
    analysis = await analyse(shop)

    by_sql = {(row[0], row[1]): row[2:] for row in database.execute(RULES)}
    found = {(one.if_category, one.then_category): one for one in analysis.rules}
    assert found.keys() == by_sql.keys()
    for pair, (orders, support, confidence, lift) in by_sql.items():
        rule = found[pair]
        assert rule.orders == orders
        assert (rule.support, rule.confidence, rule.lift) == pytest.approx(
            (support, confidence, lift)
        )


async def test_planted_pairs_are_found(shop: AsyncEngine) -> None:
    analysis = await analyse(shop)

    lifts = {(one.if_category, one.then_category): one.lift for one in analysis.rules}
    assert lifts["chain", "pendant"] > 1.5
    assert lifts["necklace", "earrings"] > 1.3
    assert next(iter(lifts)) in {("chain", "pendant"), ("pendant", "chain")}


async def test_the_forecast_equals_that_of_sql(
    shop: AsyncEngine, database: sqlite3.Connection
) -> None:
    analysis = await analyse(shop)

    assert analysis.forecast is not None
    assert [one.month for one in analysis.forecast.months] == ["2026-11", "2026-12", "2027-01"]
    for one, (_, value, growth, variance) in zip(
        analysis.forecast.months, database.execute(FORECAST).fetchall(), strict=True
    ):
        assert analysis.forecast.growth == pytest.approx(growth)
        assert analysis.forecast.deviation == pytest.approx(sqrt(variance))
        assert one.value == round(value)
        assert one.low == pytest.approx(value * (1 - 1.28 * sqrt(variance)), abs=1)
        assert one.high == pytest.approx(value * (1 + 1.28 * sqrt(variance)), abs=1)


async def test_totals_months_and_categories_equal_those_of_sql(
    shop: AsyncEngine, database: sqlite3.Connection
) -> None:
    analysis = await analyse(shop)

    total = database.execute("SELECT COUNT(*), SUM(total_rub) FROM jewelry_orders").fetchone()
    months = database.execute(
        "SELECT substr(ordered_on, 1, 7), COUNT(*), SUM(total_rub) FROM jewelry_orders"
        " GROUP BY 1 ORDER BY 1"
    ).fetchall()
    categories = database.execute(
        "SELECT p.category, COUNT(*), SUM(i.price_rub) FROM jewelry_order_items i"
        " JOIN jewelry_products p ON p.id = i.product_id GROUP BY 1 ORDER BY 3 DESC"
    ).fetchall()
    assert (analysis.total_orders, analysis.revenue_rub) == total
    assert analysis.total_customers == 800
    assert [(one.month, one.orders, one.revenue_rub) for one in analysis.months] == months
    assert [(one.category, one.items, one.revenue_rub) for one in analysis.categories] == categories


def test_equal_customers_have_equal_scores() -> None:
    orders = [OrderRow(n, f"CU-{n}", date(2026, 10, 1), 1_000) for n in range(1, 8)]

    scores = score_customers(orders, as_of=DATA_AS_OF)

    assert {(one.r, one.f, one.m) for one in scores} == {(1, 1, 1)}


def test_a_forecast_needs_two_whole_years() -> None:
    orders = [OrderRow(n, "CU-1", date(2024 + n // 12, n % 12 + 1, 5), 100 + n) for n in range(23)]

    months = sum_months(orders, until=date(2025, 11, 30))

    assert len(months) == 23
    assert forecast_months(months) is None


def test_a_month_without_orders_is_a_month() -> None:
    orders = [OrderRow(1, "CU-1", date(2026, 1, 5), 100), OrderRow(2, "CU-1", date(2026, 3, 5), 50)]

    months = sum_months(orders, until=date(2026, 4, 30))

    assert [(one.month, one.revenue_rub) for one in months] == [
        ("2026-01", 100),
        ("2026-02", 0),
        ("2026-03", 50),
        ("2026-04", 0),
    ]


async def test_everything_that_is_said_is_a_fact(shop: AsyncEngine) -> None:
    analysis = await analyse(shop)

    for sentence in analysis.sentences():
        assert (sentence.ru, numbers_outside(sentence.ru, analysis.facts)) == (sentence.ru, [])
        assert (sentence.en, numbers_outside(sentence.en, analysis.facts)) == (sentence.en, [])


async def test_metadata_has_the_documented_keys(shop: AsyncEngine) -> None:
    metadata = (await analyse(shop)).as_metadata("ru")

    assert {"total_customers", "patterns", "segments", "forecast", "period"} <= metadata.keys()
    assert isinstance(metadata["patterns"], dict)
    assert metadata["period"] == {"from": "2024-11", "to": "2026-10"}
    assert metadata["segments"][0]["name"] == "Чемпионы"


async def test_an_empty_shop_has_an_empty_analysis(empty_shop: AsyncEngine) -> None:
    analysis = await analyse(empty_shop)

    assert (analysis.total_orders, analysis.rules, analysis.forecast) == (0, (), None)
    assert analysis.as_metadata("en")["period"] == {"from": None, "to": None}
    assert analysis.sentences()


async def test_many_who_ask_at_once_are_answered_by_one_computation(own_shop: AsyncEngine) -> None:
    analyst = Analyst(own_shop)
    read: list[str] = []
    event.listen(
        own_shop.sync_engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: read.append(statement),
    )

    answers = await asyncio.gather(*(analyst.analyse() for _ in range(20)))

    assert all(answer is answers[0] for answer in answers)
    assert sum("jewelry_order_items JOIN" in statement for statement in read) == 1


async def test_a_new_order_is_seen(own_shop: AsyncEngine) -> None:
    analyst = Analyst(own_shop)
    before = await analyst.analyse()
    async with own_shop.begin() as connection:
        await connection.execute(
            text("INSERT INTO jewelry_orders VALUES (9001, 'CU-0001', '2026-10-31', 5000)")
        )

    after = await analyst.analyse()

    assert after.total_orders == before.total_orders + 1
