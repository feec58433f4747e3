"""Months as a series, and the next ones: last year's month times half a year's growth. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from potok_apps.jewelry.ledger import OrderRow

__all__ = [
    "GROWTH_MONTHS",
    "HORIZON_MONTHS",
    "Forecast",
    "Month",
    "Prediction",
    "forecast_months",
    "sum_months",
]

SEASON = 12
GROWTH_MONTHS = 6  # compared with the same months a year before
HORIZON_MONTHS = 3  # further ahead the interval says nothing any more
_WIDTH = 1.28  # of an interval that holds four months of five, in deviations of the residuals


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month, as `2026-10`."""

    month: str
    orders: int
    revenue_rub: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a month to come may bring, in roubles; four of five should lie in the interval."""

    month: str
    value: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Predictions with what they rest on.

    `growth` is a factor; `error` is the mean share by which the method misses the last year.
    """

    growth: float
    deviation: float
    error: float
    months: tuple[Prediction, ...]


def sum_months(orders: Iterable[OrderRow], *, until: date) -> list[Month]:
    """Return all months from the first order to `until`, those without orders too."""
    count: dict[str, int] = {}
    revenue: dict[str, int] = {}
    for order in orders:
        month = f"{order.ordered_on:%Y-%m}"
        count[month] = count.get(month, 0) + 1
        revenue[month] = revenue.get(month, 0) + order.total_rub
    months: list[Month] = []
    month = min(count, default="")
    while month and month <= f"{until:%Y-%m}":
        months.append(
            Month(month=month, orders=count.get(month, 0), revenue_rub=revenue.get(month, 0))
        )
        month = _later(month, 1)
    return months


def forecast_months(months: Sequence[Month]) -> Forecast | None:
    """Return the next months, None while there are not two whole years to learn from."""
    revenue = [one.revenue_rub for one in months]
    if len(revenue) < 2 * SEASON or not all(revenue[-2 * SEASON :]):
        return None
    season, year = revenue[-2 * SEASON : -SEASON], revenue[-SEASON:]
    growth = sum(year[-GROWTH_MONTHS:]) / sum(season[-GROWTH_MONTHS:])
    residuals = [now / (before * growth) - 1 for before, now in zip(season, year, strict=True)]
    deviation = math.sqrt(sum(one * one for one in residuals) / SEASON)
    predictions = []
    for ahead in range(1, HORIZON_MONTHS + 1):
        value = year[ahead - 1] * growth
        predictions.append(
            Prediction(
                month=_later(months[-1].month, ahead),
                value=round(value),
                low=round(value * max(0.0, 1 - _WIDTH * deviation)),
                high=round(value * (1 + _WIDTH * deviation)),
            )
        )
    return Forecast(
        growth=growth,
        deviation=deviation,
        error=sum(abs(one) for one in residuals) / SEASON,
        months=tuple(predictions),
    )


def _later(month: str, months: int) -> str:
    count = int(month[:4]) * 12 + int(month[5:]) - 1 + months
    return f"{count // 12}-{count % 12 + 1:02d}"
