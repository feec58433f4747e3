"""Finds pieces by exact filters in SQL; where nothing fits, drops filters, and says which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from potok_apps.jewelry.bounds import PRODUCTS_MAX
from potok_apps.jewelry.catalogue import Product
from potok_apps.jewelry.filters import CONDITIONS, active_filters, always
from potok_apps.jewelry.preferences import Preferences
from potok_apps.jewelry.reasons import reason_of
from potok_apps.jewelry.scores import score_of
from potok_apps.jewelry.shelf import read_products
from potok_apps.jewelry.tables import products
from potok_apps.jewelry.texts import Language, Text

__all__ = ["RELAXATIONS", "Found", "Match", "find_products", "search_products"]

RELAXATIONS = (
    "style",
    "occasion",
    "size",
    "metal_color",
    "metal",
    "stone",
    "sale",
    "budget",
    "recipient",
    "category",
    "name",
)
"""Filters in the order in which they are given up: first one alone, then more and more together.

A budget that was only guessed from a word goes before all of them. What was refused, and what is
out of stock, is never shown.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A piece that fits; `score` is 0 to 1, `reason` only says what is true of it.

    `dropped` names the filters that it was found without.
    """

    product: Product
    score: float
    reason: Text
    dropped: tuple[str, ...] = ()

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return the piece as clients are told of it, with its score and reason."""
        return {
            **self.product.as_metadata(language),
            "score": self.score,
            "reason": self.reason.within(language),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best matches, how many pieces fit in all, and which filters were used and dropped."""

    matches: tuple[Match, ...]
    total: int
    filters: tuple[str, ...]
    dropped: tuple[str, ...]


async def find_products(
    engine: AsyncEngine,
    preferences: Preferences,
    *,
    items_max: int,
    taste: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Match]:
    """Return the best matches, best first; see `search_products`."""
    found = await search_products(engine, preferences, items_max=items_max, taste=taste)
    return list(found.matches)


async def search_products(
    engine: AsyncEngine,
    preferences: Preferences,
    *,
    items_max: int,
    taste: Mapping[str, Mapping[str, float]] | None = None,
) -> Found:
    """Look for pieces that fit every wish; if there are none, drop filters as `RELAXATIONS` says.

    Args:
        items_max: 1 to `bounds.PRODUCTS_MAX`.
        taste: Kind -> value -> weight (0 to 1), of a taste profile; moves pieces up, hides none.
    """
    asked = active_filters(preferences)
    async with engine.connect() as connection:
        dropped: tuple[str, ...] = ()
        ids = await _matching_ids(connection, preferences, asked)
        if not ids:
            ids, dropped = await _relaxed_ids(connection, preferences, asked)
        found = await read_products(connection, ids)
    matches = [
        Match(
            product=one,
            score=score_of(one, preferences, dropped=dropped, taste=taste or {}),
            reason=reason_of(one, preferences, dropped=dropped),
            dropped=dropped,
        )
        for one in found
    ]
    matches.sort(key=lambda match: (-match.score, match.product.id))
    count = max(1, min(items_max, PRODUCTS_MAX))
    return Found(
        matches=tuple(matches[:count]),
        total=len(ids),
        filters=tuple(name for name in asked if name not in dropped),
        dropped=dropped,
    )


def _drops(preferences: Preferences, asked: Sequence[str]) -> Iterator[tuple[str, ...]]:
    order = [name for name in RELAXATIONS if name in asked]
    if preferences.is_budget_guessed and "budget" in order:
        order.remove("budget")
        order.insert(0, "budget")
    for name in order:
        yield (name,)
    for count in range(2, len(order) + 1):
        yield tuple(order[:count])


async def _matching_ids(
    connection: AsyncConnection, preferences: Preferences, names: Sequence[str]
) -> list[str]:
    conditions = [*always(preferences), *_conditions(preferences, names)]
    rows = await connection.execute(
        select(products.c.id).where(*conditions).order_by(products.c.id)
    )
    return list(rows.scalars())


async def _relaxed_ids(
    connection: AsyncConnection, preferences: Preferences, asked: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Return what fits when as little as possible is dropped, and what was dropped.

    One query says of each piece which filters it passes; all drops are tried on that.
    """
    flags = [case((one, 1), else_=0) for one in _conditions(preferences, asked)]
    rows = await connection.execute(
        select(products.c.id, *flags).where(*always(preferences)).order_by(products.c.id)
    )
    failed = {
        one: {name for name, passes in zip(asked, passed, strict=True) if not passes}
        for one, *passed in rows
    }
    for dropped in _drops(preferences, asked):
        ids = [one for one, names in failed.items() if names <= set(dropped)]
        if ids:
            return ids, dropped
    return [], tuple(asked)


def _conditions(preferences: Preferences, names: Sequence[str]) -> list[ColumnElement[bool]]:
    found = [CONDITIONS[name](preferences) for name in names]
    return [one for one in found if one is not None]
