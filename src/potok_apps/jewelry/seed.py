"""Fills the app's tables, once per version of the data, in one transaction."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import resources
from typing import Any

from sqlalchemy import Table, delete, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from potok_apps.jewelry import tables
from potok_apps.jewelry.bounds import DATA_AS_OF, SEED_VERSION
from potok_apps.jewelry.catalogue import Product, read_catalogue
from potok_apps.jewelry.made_orders import make_orders

__all__ = ["seed"]

_CLAIM = text(
    "INSERT INTO jewelry_seeds (name, version) VALUES ('data', :version)"
    " ON CONFLICT (name) DO UPDATE SET version = excluded.version"
    " WHERE jewelry_seeds.version <> excluded.version"
)

Rows = list[dict[str, Any]]


async def seed(engine: AsyncEngine) -> None:
    """Put catalogue, customers, orders and notes into the tables; no effect if they are there.

    Workers that start together take turns at the first statement, and one of them does it. What
    users left (answers, facts) is never touched.
    """
    async with engine.begin() as connection:
        claimed = await connection.execute(_CLAIM, {"version": SEED_VERSION})
        if claimed.rowcount == 0:
            return
        contents = await asyncio.to_thread(_make_contents)
        for table, rows in contents:
            await connection.execute(delete(table))
            await connection.execute(insert(table), rows)


def _make_contents() -> Sequence[tuple[Table, Rows]]:
    products = read_catalogue()
    customers, orders = make_orders(products)
    notes = _notes()
    return (
        (tables.products, [_product_row(one) for one in products]),
        (tables.product_stones, [row for one in products for row in _stone_rows(one)]),
        (tables.product_tags, [row for one in products for row in _tag_rows(one)]),
        (
            tables.customers,
            [
                {"id": one.id, "first_name": one.first_name, "joined_on": str(one.joined_on)}
                for one in customers
            ],
        ),
        (
            tables.orders,
            [
                {
                    "id": one.id,
                    "customer_id": one.customer_id,
                    "ordered_on": str(one.ordered_on),
                    "total_rub": one.total_rub,
                }
                for one in orders
            ],
        ),
        (
            tables.order_items,
            [
                {"order_id": one.id, "place": place, "product_id": product, "price_rub": price}
                for one in orders
                for place, (product, price) in enumerate(one.items)
            ],
        ),
        (tables.trend_notes, [_note_row(note) for note in notes]),
        (
            tables.trend_tags,
            [
                {"note_id": note["id"], "tag": tag, "weight": weight}
                for note in notes
                for tag, weight in note["tags"].items()
            ],
        ),
    )


def _notes() -> list[Mapping[str, Any]]:
    file = resources.files("potok_apps.jewelry") / "data" / "trend_notes.json"
    notes: list[Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["notes"]
    return notes


def _note_row(note: Mapping[str, Any]) -> dict[str, Any]:
    published = DATA_AS_OF - timedelta(days=note["age_days"])
    return {
        **{key: note[key] for key in ("id", "title", "title_en", "body")},
        "published_on": str(published),
    }


def _product_row(product: Product) -> dict[str, Any]:
    names = [column.name for column in tables.products.columns]
    return {name: getattr(product, name) for name in names}


def _stone_rows(product: Product) -> Rows:
    return [
        {
            "product_id": product.id,
            "place": place,
            "type": stone.type,
            "carat": stone.carat,
            "color": stone.color,
            "cut": stone.cut,
        }
        for place, stone in enumerate(product.stones)
    ]


def _tag_rows(product: Product) -> Rows:
    lists: dict[str, Sequence[object]] = {
        "style": product.style,
        "occasion": product.occasions,
        "for_whom": product.for_whom,
        "zodiac": product.zodiac,
        "size": [f"{size:g}" for size in product.sizes],
    }
    return [
        {"product_id": product.id, "kind": kind, "value": value, "place": place}
        for kind, values in lists.items()
        for place, value in enumerate(values)
    ]
