"""All orders and their items, read in pieces so that the event loop is never held."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from potok_apps.jewelry.bounds import ROWS_AT_ONCE
from potok_apps.jewelry.tables import customers, order_items, orders, products, seeds

__all__ = ["Item", "Ledger", "OrderRow", "read_fingerprint", "read_ledger"]

Fingerprint = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order: who, when, and what was paid."""

    id: int
    customer_id: str
    ordered_on: date
    total_rub: int


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of an order."""

    order_id: int
    product_id: str
    category: str
    price_rub: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Orders by id, their items, and how many customers there are, with and without orders."""

    orders: tuple[OrderRow, ...]
    items: tuple[Item, ...]
    customers: int


async def read_fingerprint(engine: AsyncEngine) -> Fingerprint:
    """Return numbers that change when orders do: what was computed of equal ones stays true."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                select(
                    func.count(orders.c.id),
                    func.coalesce(func.max(orders.c.id), 0),
                    func.coalesce(func.sum(orders.c.total_rub), 0),
                )
            )
        ).one()
        version = await connection.scalar(select(func.max(seeds.c.version)))
    return int(row[0]), int(row[1]), int(row[2]), int(version or 0)


async def read_ledger(engine: AsyncEngine) -> Ledger:
    """Return everything that was sold."""
    async with engine.connect() as connection:
        return Ledger(
            orders=await _orders(connection),
            items=await _items(connection),
            customers=int(await connection.scalar(select(func.count(customers.c.id))) or 0),
        )


async def _orders(connection: AsyncConnection) -> tuple[OrderRow, ...]:
    query = select(orders).order_by(orders.c.id)
    found: list[OrderRow] = []
    async with connection.stream(query) as rows:
        async for part in rows.partitions(ROWS_AT_ONCE):
            found += [
                OrderRow(row.id, row.customer_id, date.fromisoformat(row.ordered_on), row.total_rub)
                for row in part
            ]
    return tuple(found)


async def _items(connection: AsyncConnection) -> tuple[Item, ...]:
    query = (
        select(
            order_items.c.order_id,
            order_items.c.product_id,
            products.c.category,
            order_items.c.price_rub,
        )
        .join(products, products.c.id == order_items.c.product_id)
        .order_by(order_items.c.order_id, order_items.c.place)
    )
    found: list[Item] = []
    async with connection.stream(query) as rows:
        async for part in rows.partitions(ROWS_AT_ONCE):
            found += [Item(*row) for row in part]
    return tuple(found)
