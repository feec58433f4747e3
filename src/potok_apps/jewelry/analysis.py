"""What the orders say: segments, pairs, months and a forecast, computed from the tables alone."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from potok_apps.jewelry.bounds import DATA_AS_OF
from potok_apps.jewelry.facts import Fact, Facts
from potok_apps.jewelry.forecast import (
    GROWTH_MONTHS,
    HORIZON_MONTHS,
    Forecast,
    Month,
    forecast_months,
    sum_months,
)
from potok_apps.jewelry.ledger import Fingerprint, Item, Ledger, read_fingerprint, read_ledger
from potok_apps.jewelry.pairs import Rule, find_rules
from potok_apps.jewelry.rfm import ACTIONS, SEGMENTS, Segment, score_customers, sum_segments
from potok_apps.jewelry.texts import Language, Text, money, month_name, number, percent
from potok_apps.jewelry.vocabulary import CATEGORIES

__all__ = ["Analysis", "Analyst", "CategorySales", "analyse"]

_METHOD = "seasonal_naive_growth"
_RULES_TOLD = 3  # pairs in prose; the metadata has all


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorySales:
    """What one category brought in."""

    category: str
    items: int
    revenue_rub: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """All that was computed; every number that is said of the shop is one of these."""

    data_as_of: date
    total_customers: int
    total_orders: int
    revenue_rub: int
    segments: tuple[Segment, ...]
    rules: tuple[Rule, ...]
    months: tuple[Month, ...]
    categories: tuple[CategorySales, ...]
    forecast: Forecast | None

    @property
    def average_order_rub(self) -> int:
        """What an order brings."""
        return round(self.revenue_rub / self.total_orders) if self.total_orders else 0

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return everything as JSON; shares are 0 to 1."""
        return {
            "total_customers": self.total_customers,
            "total_orders": self.total_orders,
            "revenue_rub": self.revenue_rub,
            "average_order_rub": self.average_order_rub,
            "period": {
                "from": self.months[0].month if self.months else None,
                "to": self.months[-1].month if self.months else None,
            },
            "segments": [_segment_metadata(one, language) for one in self.segments],
            "patterns": {
                "bought_together": [_rule_metadata(one, language) for one in self.rules],
                "by_month": [
                    {"month": one.month, "orders": one.orders, "revenue_rub": one.revenue_rub}
                    for one in self.months
                ],
                "by_category": [
                    {
                        "category": one.category,
                        "name": CATEGORIES[one.category].within(language),
                        "items": one.items,
                        "revenue_rub": one.revenue_rub,
                        "share": round(one.share, 4),
                    }
                    for one in self.categories
                ],
            },
            "forecast": [
                {
                    "month": one.month,
                    "value": one.value,
                    "low": one.low,
                    "high": one.high,
                    "method": _METHOD,
                }
                for one in (self.forecast.months if self.forecast else ())
            ],
            "growth": round(self.forecast.growth, 4) if self.forecast else None,
            "data_as_of": str(self.data_as_of),
        }

    @property
    def facts(self) -> Facts:
        """The numbers that prose about this analysis may use."""
        names = {str(self.data_as_of), f"{self.data_as_of:%d.%m.%Y}"}
        names |= {one.month for one in self.months}
        if self.forecast:
            names |= {one.month for one in self.forecast.months}
        return Facts(tuple(_facts(self)), frozenset(names))

    def sentences(self) -> tuple[Text, ...]:
        """Return what matters in whole sentences, each true by itself."""
        return tuple(_sentences(self))


class Analyst:
    """Computes once for each state of the orders, however many ask at the same time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._known: tuple[Fingerprint, Analysis] | None = None

    async def analyse(self) -> Analysis:
        """Return the analysis of what the tables hold now."""
        fingerprint = await read_fingerprint(self._engine)
        if self._known is not None and self._known[0] == fingerprint:
            return self._known[1]
        async with self._lock:
            if self._known is None or self._known[0] != fingerprint:
                self._known = fingerprint, await analyse(self._engine)
            return self._known[1]


async def analyse(engine: AsyncEngine, *, as_of: date = DATA_AS_OF) -> Analysis:
    """Read all orders and compute; the computation runs beside the event loop."""
    ledger = await read_ledger(engine)
    return await asyncio.to_thread(_computed, ledger, as_of)


def _computed(ledger: Ledger, as_of: date) -> Analysis:
    months = sum_months(ledger.orders, until=as_of)
    return Analysis(
        data_as_of=as_of,
        total_customers=ledger.customers,
        total_orders=len(ledger.orders),
        revenue_rub=sum(one.total_rub for one in ledger.orders),
        segments=tuple(sum_segments(score_customers(ledger.orders, as_of=as_of))),
        rules=tuple(find_rules(ledger.items, orders=len(ledger.orders))),
        months=tuple(months),
        categories=tuple(_sum_categories(ledger.items)),
        forecast=forecast_months(months),
    )


def _sum_categories(items: tuple[Item, ...]) -> list[CategorySales]:
    count: dict[str, int] = {}
    revenue: dict[str, int] = {}
    for item in items:
        count[item.category] = count.get(item.category, 0) + 1
        revenue[item.category] = revenue.get(item.category, 0) + item.price_rub
    total = sum(revenue.values())
    return [
        CategorySales(
            category=one,
            items=count[one],
            revenue_rub=revenue[one],
            share=revenue[one] / total if total else 0.0,
        )
        for one in sorted(revenue, key=lambda one: (-revenue[one], one))
    ]


def _segment_metadata(segment: Segment, language: Language) -> dict[str, Any]:
    return {
        "code": segment.code,
        "name": SEGMENTS[segment.code].within(language),
        "count": segment.customers,
        "share": round(segment.share, 4),
        "revenue_rub": segment.revenue_rub,
        "revenue_share": round(segment.revenue_share, 4),
        "action": ACTIONS[segment.code].within(language),
    }


def _rule_metadata(rule: Rule, language: Language) -> dict[str, Any]:
    return {
        "if": rule.if_category,
        "if_name": CATEGORIES[rule.if_category].within(language),
        "then": rule.then_category,
        "then_name": CATEGORIES[rule.then_category].within(language),
        "orders": rule.orders,
        "support": round(rule.support, 4),
        "confidence": round(rule.confidence, 4),
        "lift": round(rule.lift, 3),
    }


def _facts(analysis: Analysis) -> Iterator[Fact]:
    yield Fact("total_customers", analysis.total_customers, "count")
    yield Fact("total_orders", analysis.total_orders, "count")
    yield Fact("revenue", analysis.revenue_rub, "rub")
    yield Fact("average_order", analysis.average_order_rub, "rub")
    yield Fact("segments", len(analysis.segments), "count")
    yield Fact("months", len(analysis.months), "count")
    yield Fact("growth_months", GROWTH_MONTHS, "count")
    yield Fact("horizon", HORIZON_MONTHS, "count")
    day = analysis.data_as_of
    yield from (Fact("data_as_of", part, "count") for part in (day.day, day.year))
    for segment in analysis.segments:
        yield Fact(f"{segment.code}_customers", segment.customers, "count")
        yield Fact(f"{segment.code}_share", segment.share * 100, "percent")
        yield Fact(f"{segment.code}_revenue", segment.revenue_rub, "rub")
        yield Fact(f"{segment.code}_revenue_share", segment.revenue_share * 100, "percent")
    for rule in analysis.rules:
        name = f"{rule.if_category}_{rule.then_category}"
        yield Fact(f"{name}_orders", rule.orders, "count")
        yield Fact(f"{name}_support", rule.support * 100, "percent")
        yield Fact(f"{name}_confidence", rule.confidence * 100, "percent")
        yield Fact(f"{name}_lift", rule.lift, "ratio")
    for month in analysis.months:
        yield Fact(f"{month.month}_orders", month.orders, "count")
        yield Fact(f"{month.month}_revenue", month.revenue_rub, "rub")
        yield Fact(f"{month.month}_year", int(month.month[:4]), "count")
    for one in analysis.categories:
        yield Fact(f"{one.category}_items", one.items, "count")
        yield Fact(f"{one.category}_revenue", one.revenue_rub, "rub")
        yield Fact(f"{one.category}_share", one.share * 100, "percent")
    if analysis.forecast is not None:
        yield Fact("growth", (analysis.forecast.growth - 1) * 100, "percent")
        yield Fact("growth_factor", analysis.forecast.growth, "ratio")
        yield Fact("forecast_error", analysis.forecast.error * 100, "percent")
        for prediction in analysis.forecast.months:
            yield Fact(f"{prediction.month}_value", prediction.value, "rub")
            yield Fact(f"{prediction.month}_low", prediction.low, "rub")
            yield Fact(f"{prediction.month}_high", prediction.high, "rub")
            yield Fact(f"{prediction.month}_year", int(prediction.month[:4]), "count")


def _sentences(analysis: Analysis) -> Iterator[Text]:
    customers, orders = number(analysis.total_customers), number(analysis.total_orders)
    revenue, average = money(analysis.revenue_rub), money(analysis.average_order_rub)
    yield Text(
        f"Всего в базе клиентов: {customers.ru}, заказов: {orders.ru}; выручка {revenue.ru},"
        f" средний чек {average.ru}.",
        f"Customers: {customers.en}, orders: {orders.en}; revenue {revenue.en}, average order"
        f" {average.en}.",
    )
    for segment in sorted(analysis.segments, key=lambda one: (-one.revenue_rub, one.code)):
        name, action = SEGMENTS[segment.code], ACTIONS[segment.code]
        share, part = percent(segment.share), percent(segment.revenue_share)
        count = number(segment.customers)
        yield Text(
            f"Сегмент «{name.ru}»: клиентов {count.ru} ({share.ru}), доля выручки {part.ru};"
            f" что делать: {action.ru}.",
            f"Segment “{name.en}”: {count.en} customers ({share.en}), {part.en} of revenue;"
            f" what to do: {action.en}.",
        )
    for rule in analysis.rules[:_RULES_TOLD]:
        first, second = CATEGORIES[rule.if_category], CATEGORIES[rule.then_category]
        confidence, lift = percent(rule.confidence), number(rule.lift, 2)
        yield Text(
            f"Кто берёт «{first.ru}», в том же заказе берёт «{second.ru}» в {confidence.ru}"
            f" случаев: в {lift.ru} раза чаще обычного.",
            f"Orders with “{first.en}” hold “{second.en}” in {confidence.en} of cases:"
            f" {lift.en} times more often than usual.",
        )
    if analysis.categories:
        best = analysis.categories[0]
        name, share = CATEGORIES[best.category], percent(best.share)
        yield Text(
            f"Больше всего выручки приносит категория «{name.ru}»: {share.ru}.",
            f"The category “{name.en}” brings the most revenue: {share.en}.",
        )
    if analysis.forecast is not None:
        yield from _forecast_sentences(analysis.forecast)


def _forecast_sentences(forecast: Forecast) -> Iterator[Text]:
    growth = percent(abs(forecast.growth - 1))
    rose = Text("выросли", "rose") if forecast.growth >= 1 else Text("упали", "fell")
    months = number(GROWTH_MONTHS)
    yield Text(
        f"За последние {months.ru} месяцев продажи {rose.ru} на {growth.ru} к тем же месяцам год"
        " назад.",
        f"Over the last {months.en} months sales {rose.en} by {growth.en} against the same months"
        " a year before.",
    )
    for one in forecast.months:
        value, low, high = money(one.value), money(one.low), money(one.high)
        month = month_name(one.month)
        yield Text(
            f"Прогноз на {month.ru}: {value.ru}, вероятный диапазон от {low.ru} до {high.ru}.",
            f"Forecast for {month.en}: {value.en}, likely between {low.en} and {high.en}.",
        )
