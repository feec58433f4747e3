"""What is bought together: rules «who takes A takes B» over the categories of an order. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

from potok_apps.jewelry.ledger import Item

__all__ = ["SUPPORT_MIN", "Rule", "find_rules"]

SUPPORT_MIN = 0.01  # the share of orders below which a pair is chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Orders with `if_category` often hold `then_category`.

    `support` is the share of all orders with both, `confidence` that of the orders with the first;
    `lift` says how many times more often the second comes than it does anyway.
    """

    if_category: str
    then_category: str
    orders: int
    support: float
    confidence: float
    lift: float


def find_rules(items: Iterable[Item], *, orders: int) -> list[Rule]:
    """Return all rules with enough support, the highest lift first."""
    baskets: dict[int, set[str]] = {}
    for item in items:
        baskets.setdefault(item.order_id, set()).add(item.category)
    single: dict[str, int] = {}
    both: dict[tuple[str, str], int] = {}
    for basket in baskets.values():
        for category in basket:
            single[category] = single.get(category, 0) + 1
        for pair in permutations(sorted(basket), 2):
            both[pair] = both.get(pair, 0) + 1
    rules = [
        Rule(
            if_category=first,
            then_category=second,
            orders=count,
            support=count / orders,
            confidence=count / single[first],
            lift=count * orders / (single[first] * single[second]),
        )
        for (first, second), count in both.items()
        if count >= SUPPORT_MIN * orders
    ]
    return sorted(rules, key=lambda rule: (-rule.lift, rule.if_category, rule.then_category))
