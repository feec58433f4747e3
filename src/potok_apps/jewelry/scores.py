"""How well a piece suits wishes: points for what is true of it, 0 to 1. Pure."""

from collections.abc import Collection, Mapping

from potok_apps.jewelry.catalogue import Product
from potok_apps.jewelry.preferences import Preferences

__all__ = ["score_of"]

_RATING = 30.0
_OCCASION = 15.0
_STYLE = 10.0
_STONE = 10.0
_BUDGET = 15.0
_ZODIAC = 8.0
_TASTE = 20.0
_SALE = 2.0
_ALL = _RATING + _OCCASION + _STYLE + _STONE + _BUDGET + _ZODIAC + _TASTE + _SALE


def score_of(
    product: Product,
    wishes: Preferences,
    *,
    dropped: Collection[str],
    taste: Mapping[str, Mapping[str, float]],
) -> float:
    """Return the score of a piece; equal for equal arguments, to four digits."""
    stones = {stone.type for stone in product.stones}
    points = _RATING * product.rating / 5
    points += _OCCASION * _shared(wishes.occasion, product.occasions)
    points += _STYLE * _shared(wishes.style, product.style)
    points += _STONE * _shared(wishes.stone, stones)
    points += _BUDGET * _budget_fit(product.price_rub, wishes, is_dropped="budget" in dropped)
    points += _ZODIAC * (wishes.zodiac in product.zodiac)
    points += _SALE * (product.old_price_rub is not None)
    points += _TASTE * _taste_fit(product, taste)
    return round(points / _ALL, 4)


def _shared(wanted: Collection[str], there: Collection[str]) -> float:
    return sum(value in there for value in wanted) / len(wanted) if wanted else 0.0


def _budget_fit(price: int, wishes: Preferences, *, is_dropped: bool) -> float:
    """Return 0 to 1: a budget is there to be used, a low one to be saved."""
    low, high = wishes.budget_min, wishes.budget_max
    if high is None:
        # From a lower bound up, the nearest first.
        return low / max(price, low) if low else 0.0
    if is_dropped:
        bound = high if price > high else (low or high)
        return 1 / (1 + abs(price - bound) / max(bound, 1))
    return 1 - price / high if wishes.is_budget_guessed else price / high


def _taste_fit(product: Product, taste: Mapping[str, Mapping[str, float]]) -> float:
    if not taste:
        return 0.0
    there = {
        "category": {product.category},
        "metal": {product.metal},
        "metal_color": {product.metal_color},
        "stone": {stone.type for stone in product.stones} or {"none"},
        "style": set(product.style),
        "occasion": set(product.occasions),
    }
    fits = [
        max((weights.get(value, 0.0) for value in there[kind]), default=0.0)
        for kind, weights in taste.items()
        if kind in there and weights
    ]
    return sum(fits) / len(fits) if fits else 0.0
