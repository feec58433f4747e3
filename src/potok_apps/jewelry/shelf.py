"""Reads pieces out of the tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from potok_apps.jewelry.catalogue import Product, Stone
from potok_apps.jewelry.tables import product_stones, product_tags, products

__all__ = ["read_products", "read_products_by_id"]


async def read_products_by_id(engine: AsyncEngine, ids: Sequence[str]) -> list[Product]:
    """Return the pieces of some ids in their order; ids that nobody knows are left out."""
    async with engine.connect() as connection:
        return await read_products(connection, ids)


async def read_products(connection: AsyncConnection, ids: Sequence[str]) -> list[Product]:
    """Return the pieces of some ids in their order, on a connection that is open already."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return []
    rows = await connection.execute(select(products).where(products.c.id.in_(wanted)))
    found = {row["id"]: row for row in rows.mappings()}
    stones = await connection.execute(
        select(product_stones)
        .where(product_stones.c.product_id.in_(wanted))
        .order_by(product_stones.c.product_id, product_stones.c.place)
    )
    tags = await connection.execute(
        select(product_tags)
        .where(product_tags.c.product_id.in_(wanted))
        .order_by(product_tags.c.product_id, product_tags.c.kind, product_tags.c.place)
    )
    stones_of: dict[str, list[Stone]] = {}
    for row in stones:
        stone = Stone(type=row.type, carat=row.carat, color=row.color, cut=row.cut)
        stones_of.setdefault(row.product_id, []).append(stone)
    tags_of: dict[tuple[str, str], list[str]] = {}
    for row in tags:
        tags_of.setdefault((row.product_id, row.kind), []).append(row.value)
    return [_product(found[one], stones_of.get(one, []), tags_of) for one in wanted if one in found]


def _product(
    row: Mapping[Any, Any], stones: Sequence[Stone], tags: Mapping[tuple[str, str], Sequence[str]]
) -> Product:
    def tagged(kind: str) -> tuple[str, ...]:
        return tuple(tags.get((row["id"], kind), ()))

    return Product(
        **dict(row),
        stones=tuple(stones),
        sizes=tuple(float(size) for size in tagged("size")),
        style=tagged("style"),
        occasions=tagged("occasion"),
        for_whom=tagged("for_whom"),
        zodiac=tagged("zodiac"),
    )
