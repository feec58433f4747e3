"""Customers by recency, frequency and money: quintiles, and six segments with names. Pure.

A score of 1 to 5 is one more than the fifths of all customers who are strictly worse, so equal
customers have equal scores.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from potok_apps.jewelry.ledger import OrderRow
from potok_apps.jewelry.texts import Text

__all__ = [
    "ACTIONS",
    "SEGMENTS",
    "CustomerScore",
    "Segment",
    "score_customers",
    "sum_segments",
]

QUINTILES = 5

SEGMENTS: Mapping[str, Text] = MappingProxyType(
    {
        "champions": Text("Чемпионы", "Champions"),
        "loyal": Text("Лояльные", "Loyal"),
        "promising": Text("Перспективные", "Promising"),
        "newcomers": Text("Новички", "Newcomers"),
        "at_risk": Text("Под угрозой", "At risk"),
        "sleeping": Text("Спящие", "Sleeping"),
    }
)
"""Code -> name, best first."""

ACTIONS: Mapping[str, Text] = MappingProxyType(
    {
        "champions": Text(
            "показывать новые коллекции первыми и благодарить без скидок",
            "show new collections first and thank them without discounts",
        ),
        "loyal": Text(
            "предлагать пару к купленному и напоминать о датах",
            "offer a match for what they own and remember their dates",
        ),
        "promising": Text(
            "подсказать вторую покупку, пока интерес свежий",
            "suggest a second purchase while interest is fresh",
        ),
        "newcomers": Text(
            "рассказать об уходе и пригласить на примерку",
            "explain care and invite them to try pieces on",
        ),
        "at_risk": Text(
            "написать лично: эти люди покупали часто и перестали приходить",
            "write to them in person: they bought often and stopped coming",
        ),
        "sleeping": Text(
            "напомнить о себе к празднику и не тратить на них больше",
            "send one reminder before a holiday and spend no more on them",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerScore:
    """One customer; `recency` is days since the last order, scores are 1 (worst) to 5."""

    customer_id: str
    recency: int
    frequency: int
    money: int
    r: int
    f: int
    m: int
    segment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """All customers of one name; `share` is of the customers who ever bought."""

    code: str
    customers: int
    share: float
    revenue_rub: int
    revenue_share: float


def score_customers(orders: Iterable[OrderRow], *, as_of: date) -> list[CustomerScore]:
    """Return everybody who bought anything, by id."""
    last: dict[str, date] = {}
    count: dict[str, int] = {}
    money: dict[str, int] = {}
    for order in orders:
        one = order.customer_id
        last[one] = max(last.get(one, order.ordered_on), order.ordered_on)
        count[one] = count.get(one, 0) + 1
        money[one] = money.get(one, 0) + order.total_rub
    recency = {one: (as_of - day).days for one, day in last.items()}
    # The longer ago, the worse.
    r = _scores({one: -days for one, days in recency.items()})
    f, m = _scores(count), _scores(money)
    return [
        CustomerScore(
            customer_id=one,
            recency=recency[one],
            frequency=count[one],
            money=money[one],
            r=r[one],
            f=f[one],
            m=m[one],
            segment=_segment(r[one], f[one], m[one]),
        )
        for one in sorted(last)
    ]


def sum_segments(scores: Sequence[CustomerScore]) -> list[Segment]:
    """Return all six segments, best first; an empty one is among them."""
    revenue = sum(one.money for one in scores)
    segments = []
    for code in SEGMENTS:
        members = [one for one in scores if one.segment == code]
        money = sum(one.money for one in members)
        segments.append(
            Segment(
                code=code,
                customers=len(members),
                share=len(members) / len(scores) if scores else 0.0,
                revenue_rub=money,
                revenue_share=money / revenue if revenue else 0.0,
            )
        )
    return segments


def _scores(values: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(values.values())
    return {
        one: 1 + QUINTILES * bisect_left(ordered, value) // len(ordered)
        for one, value in values.items()
    }


def _segment(r: int, f: int, m: int) -> str:
    if r >= 4 and f >= 4 and m >= 4:
        return "champions"
    if r >= 3 and f >= 3:
        return "loyal"
    if r >= 4 and f <= 1:
        return "newcomers"
    if r >= 3:
        return "promising"
    return "at_risk" if f >= 3 else "sleeping"
