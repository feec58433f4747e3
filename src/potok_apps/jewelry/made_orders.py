"""Two years of customers and orders, made from a seed: no person in them is real.

Patterns are planted for the analysis to find: seasons, growth, people who stop coming, and pieces
that go together (a pendant with a chain, earrings with a pendant, a necklace with earrings).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from potok_apps.jewelry.bounds import CUSTOMERS, DATA_AS_OF, MONTHS, ORDERS, SEED
from potok_apps.jewelry.catalogue import Product
from potok_apps.jewelry.draws import Draws, Weighted
from potok_apps.jewelry.texts import listed

__all__ = ["Customer", "Order", "make_orders", "months_before"]

_NAMES = listed(
    "Агата Алина Алла Анна Антонина Валерия Варвара Вера Вероника Галина Дарья Диана Ева"
    " Евгения Екатерина Елена Жанна Зоя Инна Ирина Карина Кира Ксения Лада Лариса Лидия"
    " Людмила Майя Маргарита Марина Мария Надежда Наталья Нина Оксана Ольга Полина Раиса Рита"
    " Светлана София Тамара Татьяна Ульяна Юлия Яна Александр Алексей Андрей Антон Борис Вадим"
    " Виктор Глеб Денис Дмитрий Егор Иван Игорь Кирилл Максим Михаил Николай Олег Павел Роман"
    " Сергей Тимур Фёдор"
)

# Kind of buyer: share, orders relative to others, taste in categories, pull towards dear pieces.
_CATEGORIES = ("ring", "earrings", "pendant", "bracelet", "chain", "necklace", "brooch", "watch")
_BUYERS = (
    (0.40, 0.8, (10, 28, 22, 14, 10, 6, 6, 4), -0.35),
    (0.30, 1.3, (18, 26, 18, 16, 14, 4, 3, 1), -0.45),
    (0.20, 0.5, (60, 14, 8, 4, 6, 6, 1, 1), -0.20),
    (0.10, 1.6, (20, 24, 10, 14, 4, 14, 6, 8), 0.15),
)
_PARTNERS = {
    "pendant": ("chain", 0.55),
    "chain": ("pendant", 0.45),
    "ring": ("ring", 0.25),
    "earrings": ("pendant", 0.30),
    "necklace": ("earrings", 0.50),
}
_TRIES_MAX = 20  # draws of a day on which somebody was a customer
_YEARLY_GROWTH = 0.14
_RATE_SPREAD = 0.9
_LEAVERS = 0.35  # the share of customers who stop coming at some day


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody who buys from `joined_on` to `left_on`."""

    id: str
    first_name: str
    joined_on: date
    left_on: date
    buyer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody bought on a day: (product id, price paid)."""

    id: int
    customer_id: str
    ordered_on: date
    items: tuple[tuple[str, int], ...]

    @property
    def total_rub(self) -> int:
        """What was paid."""
        return sum(price for _, price in self.items)


def months_before(day: date, months: int) -> date:
    """Return the first day of the month that many months before a day's own."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def make_orders(products: Sequence[Product]) -> tuple[list[Customer], list[Order]]:
    """Return all customers by id, and all orders by day and id; equal at every call."""
    draws = Draws(SEED)
    first = months_before(DATA_AS_OF, MONTHS - 1)
    days = [first + timedelta(days=n) for n in range((DATA_AS_OF - first).days + 1)]
    customers = [_customer(draws, number, days) for number in range(1, CUSTOMERS + 1)]
    rates = [_BUYERS[one.buyer][1] * draws.lognormal(_RATE_SPREAD) for one in customers]
    day_of, customer_of = Weighted([_day_weight(day, first) for day in days]), Weighted(rates)
    shelves = _Shelves(products)
    # Everybody bought at least once.
    drawn = [(_first_day(draws, customer, days, day_of), customer) for customer in customers]
    while len(drawn) < ORDERS:
        day, customer = days[day_of.draw(draws)], customers[customer_of.draw(draws)]
        if customer.joined_on <= day <= customer.left_on:
            drawn.append((day, customer))
    drawn.sort(key=lambda one: (one[0], one[1].id))
    orders = [
        Order(
            id=number,
            customer_id=customer.id,
            ordered_on=day,
            items=shelves.draw_items(draws, customer.buyer, (day - first).days),
        )
        for number, (day, customer) in enumerate(drawn, 1)
    ]
    return customers, orders


def _customer(draws: Draws, number: int, days: Sequence[date]) -> Customer:
    # Half of them were customers before the first day of the data.
    joined = days[0] - timedelta(days=draws.below(700))
    if draws.fraction() < 0.5:
        joined = days[draws.below(len(days) - 20)]
    left = days[-1]
    if draws.fraction() < _LEAVERS:
        begin = max(joined, days[0])
        left = begin + timedelta(days=30 + draws.below((days[-1] - begin).days + 1))
    buyer = Weighted([share for share, *_ in _BUYERS]).draw(draws)
    return Customer(
        id=f"CU-{number:04d}",
        first_name=draws.one_of(_NAMES),
        joined_on=joined,
        left_on=left,
        buyer=buyer,
    )


def _first_day(draws: Draws, customer: Customer, days: Sequence[date], day_of: Weighted) -> date:
    for _ in range(_TRIES_MAX):
        day = days[day_of.draw(draws)]
        if customer.joined_on <= day <= customer.left_on:
            return day
    return max(customer.joined_on, days[0])


def _day_weight(day: date, first: date) -> float:
    weight = 1.25 if day.weekday() >= 5 else 1.0
    weight *= 1 + _YEARLY_GROWTH * (day - first).days / 365
    if day.month == 12:
        weight *= 2.4
    elif day.month == 2 and day.day <= 14:
        weight *= 1.9
    elif day.month == 3 and day.day <= 8:
        weight *= 1.8
    elif day.month in (7, 8):
        weight *= 0.85
    return weight


class _Shelves:
    """Pieces by category, and how each kind of buyer reaches for them."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._by_category = {
            category: [one for one in products if one.category == category]
            for category in _CATEGORIES
        }
        self._categories = [Weighted(taste) for _, _, taste, _ in _BUYERS]
        self._pieces = {
            (buyer, category): Weighted([one.price_rub**pull for one in shelf])
            for buyer, (_, _, _, pull) in enumerate(_BUYERS)
            for category, shelf in self._by_category.items()
        }

    def draw_items(self, draws: Draws, buyer: int, day: int) -> tuple[tuple[str, int], ...]:
        """Return one piece, or two that go together."""
        category = _CATEGORIES[self._categories[buyer].draw(draws)]
        items = [self._draw_piece(draws, buyer, category, day)]
        partner = _PARTNERS.get(category)
        if partner is not None and draws.fraction() < partner[1]:
            second = self._draw_piece(draws, buyer, partner[0], day)
            if second[0] != items[0][0]:
                items.append(second)
        return tuple(items)

    def _draw_piece(self, draws: Draws, buyer: int, category: str, day: int) -> tuple[str, int]:
        product = self._by_category[category][self._pieces[buyer, category].draw(draws)]
        # Prices rose by a tenth over the two years.
        price = product.price_rub * (0.9 + 0.1 * day / (MONTHS * 30.5))
        return product.id, round(price / 10) * 10
