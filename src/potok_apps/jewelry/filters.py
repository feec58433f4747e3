"""From wishes to SQL: one exact condition for each thing that is asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_

from potok_apps.jewelry.preferences import Preferences
from potok_apps.jewelry.tables import product_stones, product_tags, products
from potok_apps.jewelry.vocabulary import AUDIENCES_OF

__all__ = ["CONDITIONS", "active_filters", "always"]

Condition = ColumnElement[bool]


def _tagged(kind: str, values: tuple[str, ...]) -> Condition:
    return exists().where(
        product_tags.c.product_id == products.c.id,
        product_tags.c.kind == kind,
        product_tags.c.value.in_(values),
    )


def _has_stone(*types: str) -> Condition:
    chosen = [product_stones.c.type.in_(types)] if types else []
    return exists().where(product_stones.c.product_id == products.c.id, *chosen)


def _stone(wishes: Preferences) -> Condition | None:
    if not wishes.stone:
        return None
    named = tuple(stone for stone in wishes.stone if stone not in ("none", "any"))
    ways: list[Condition] = [_has_stone(*named)] if named else []
    if "none" in wishes.stone:
        ways.append(not_(_has_stone()))
    if "any" in wishes.stone:
        ways.append(_has_stone())
    return or_(*ways)


def _recipient(wishes: Preferences) -> Condition | None:
    audiences = [AUDIENCES_OF.get(recipient, ()) for recipient in wishes.recipient]
    if not audiences or not all(audiences):
        return None
    return _tagged("for_whom", tuple(sorted({one for group in audiences for one in group})))


def _size(wishes: Preferences) -> Condition | None:
    if wishes.size is None:
        return None
    # Earrings and pendants have no sizes, and fit everybody.
    has_sizes = exists().where(
        product_tags.c.product_id == products.c.id, product_tags.c.kind == "size"
    )
    return or_(_tagged("size", (wishes.size,)), not_(has_sizes))


def _budget(wishes: Preferences) -> Condition | None:
    bounds: list[Condition] = []
    if wishes.budget_min is not None:
        bounds.append(products.c.price_rub >= wishes.budget_min)
    if wishes.budget_max is not None:
        bounds.append(products.c.price_rub <= wishes.budget_max)
    return and_(*bounds) if bounds else None


def _among(column: ColumnElement[Any], values: tuple[str, ...]) -> Condition | None:
    return column.in_(values) if values else None


CONDITIONS: Mapping[str, Callable[[Preferences], Condition | None]] = MappingProxyType(
    {
        "name": lambda wishes: _among(products.c.id, wishes.named),
        "category": lambda wishes: _among(products.c.category, wishes.category),
        "metal": lambda wishes: _among(products.c.metal, wishes.metal),
        "metal_color": lambda wishes: _among(products.c.metal_color, wishes.metal_color),
        "stone": _stone,
        "occasion": lambda wishes: (
            _tagged("occasion", wishes.occasion) if wishes.occasion else None
        ),
        "style": lambda wishes: _tagged("style", wishes.style) if wishes.style else None,
        "recipient": _recipient,
        "size": _size,
        "budget": _budget,
        "sale": lambda wishes: products.c.old_price_rub.is_not(None) if wishes.is_on_sale else None,
    }
)
"""Name of a filter -> its condition, None where the wishes do not ask for it."""


def active_filters(wishes: Preferences) -> list[str]:
    """Return the names of the filters that wishes ask for."""
    return [name for name, condition in CONDITIONS.items() if condition(wishes) is not None]


def always(wishes: Preferences) -> list[Condition]:
    """Return what holds for every piece that is shown: it is in stock, and not refused."""
    conditions: list[Condition] = [products.c.stock > 0]
    for kind, value in wishes.without:
        match kind:
            case "category" | "metal" | "metal_color":
                conditions.append(products.c[kind] != value)
            case "stone":
                conditions.append(not_(_has_stone(*(() if value == "any" else (value,)))))
            case "style" | "occasion":
                conditions.append(not_(_tagged(kind, (value,))))
            case _:
                pass
    return conditions
