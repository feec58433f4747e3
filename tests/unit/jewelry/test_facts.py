import pytest

from potok_apps.jewelry.facts import Fact, Facts, numbers_outside

FACTS = Facts(
    (
        Fact("customers", 800, "count"),
        Fact("orders", 4_200, "count"),
        Fact("revenue", 182_783_030, "rub"),
        Fact("average", 43_520, "rub"),
        Fact("share", 18.125, "percent"),
        Fact("growth", -3.06, "percent"),
        Fact("lift", 2.42, "ratio"),
        Fact("segments", 6, "count"),
        Fact("year", 2026, "count"),
    ),
    frozenset({"2026-10", "JW-0001"}),
)

TRUE = [
    "У нас 800 клиентов и 4 200 заказов.",
    "У нас 4\u00a0200 заказов.",
    "Customers: 800, orders: 4,200.",
    "Выручка 182 783 030 ₽.",
    "Выручка 182,8 млн ₽, то есть почти 183 миллиона рублей.",
    "Revenue of 182.8 million roubles.",
    "Средний чек 43 520 рублей, или 44 тыс. руб.",
    "Это 18,1 % клиентов.",
    "Это 18,13% клиентов, примерно 18 процентов.",
    "Падение на 3,1 %.",
    "В 2,42 раза чаще, грубо в 2,4 раза.",
    "6 сегментов в 2026 году, данные за 2026-10.",
    "1. Чемпионы\n2. Лояльные\n3) Спящие",
    "Изделие JW-0001 берут чаще.",
    "Два совета: во-первых, в один день.",
    "Чисел тут нет.",
    "",
]


@pytest.mark.parametrize("text", TRUE)
def test_facts_may_be_said_and_rounded(text: str) -> None:
    assert numbers_outside(text, FACTS) == []


FALSE = [
    ("У нас 801 клиент.", ["801"]),
    ("Выручка 182 783 031 ₽.", ["182 783 031 ₽"]),
    ("Выручка 182,9 млн ₽.", ["182,9 млн ₽"]),
    ("Это 18,2 % клиентов.", ["18,2 %"]),
    ("Это 19 процентов.", ["19 %"]),
    ("Средний чек 45 тыс. руб.", ["45 тыс ₽"]),
    # A count is no percentage and no money, and a share is no count.
    ("Это 800 % роста.", ["800 %"]),
    ("Чек 800 ₽.", ["800 ₽"]),
    ("Всего 18 клиентов.", ["18"]),
    ("Вырастет в 3 раза.", ["3"]),
    ("от 10 до 20 %", ["10", "20 %"]),
    ("10-20 %", ["10", "20 %"]),
    ("двадцать пять процентов покупателей", ["двадцать пять"]),
    ("сто тысяч заказов", ["сто тысяч"]),
    ("Изделие JW-0999 подорожало.", ["JW-0999"]),
    ("К 2027-03 всё изменится.", ["2027-03"]),
    ("800 клиентов, 5 000 заказов, 800 клиентов", ["5 000"]),
]


@pytest.mark.parametrize(("text", "outside"), FALSE)
def test_other_numbers_are_named_as_they_are_written(text: str, outside: list[str]) -> None:
    assert numbers_outside(text, FACTS) == outside


def test_facts_of_two_things_can_be_joined() -> None:
    both = FACTS + Facts((Fact("notes", 27, "count"),), frozenset({"TN-01"}))

    assert numbers_outside("27 заметок, TN-01, 800 клиентов", both) == []
