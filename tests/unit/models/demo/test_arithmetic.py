"""Sums: what is one, and what it gives."""

import pytest

from potok.models.demo.arithmetic import calculate
from potok.models.demo.language import Language


@pytest.mark.parametrize(
    ("question", "language", "result"),
    [
        ("What is 2+2?", "en", "2 + 2 = 4"),
        ("2+2*2", "en", "2 + 2 × 2 = 6"),
        ("(1+2)*(3+4)", "en", "(1 + 2) × (3 + 4) = 21"),
        ("what's 17 * 23?", "en", "17 × 23 = 391"),
        ("How much is 15% of 240?", "en", "15% × 240 = 36"),
        ("10 / 4", "en", "10 ÷ 4 = 2.5"),
        ("10/3", "en", "10 ÷ 3 ≈ 3.3333333333"),
        ("-5 - -3", "en", "−5 − −3 = −2"),
        ("Calculate 0.1 + 0.2", "en", "0.1 + 0.2 = 0.3"),
        ("1,000,000 / 8", "en", "1000000 ÷ 8 = 125000"),
        ("2^10", "en", "2^10 = 1024"),
        ("2**3**2", "en", "2^3^2 = 512"),
        ("one hundred plus twenty five", "en", "100 + 25 = 125"),
        ("сколько будет 7,5 : 2", "ru", "7,5 ÷ 2 = 3,75"),
        ("дважды два", "ru", "2 × 2 = 4"),
        ("семью восемь", "ru", "7 × 8 = 56"),
        ("7 х 8", "ru", "7 × 8 = 56"),
        ("1 000 000 / 8", "ru", "1000000 ÷ 8 = 125000"),
        ("15 процентов от 240", "ru", "15% × 240 = 36"),
        ("12 в квадрате", "ru", "12^2 = 144"),
        ("двадцать пять умножить на четыре", "ru", "25 × 4 = 100"),
    ],
)
def test_a_sum_is_calculated(question: str, language: Language, result: str) -> None:
    assert calculate(question, language) == result


@pytest.mark.parametrize(
    "question",
    [
        "",
        "2",
        "what is 2",
        "2024-11-05",
        "05.11.2024",
        "10:30",
        "8 (800) 555-35-35",
        "why 2+2?",
        "A² + 1",
        "1e5+1",
        "1.2.3 + 4",
        "((((",
        "3 -",
        "3 4 +",
        "solve x + 2 = 4",
        "2 ** 0.5",
        "9^999999999",
        "(" * 1_000 + "1+1" + ")" * 1_000,
        "(" * 60 + "1+1" + ")" * 60,
        "9" * 60 + " + 1",
    ],
)
def test_what_is_not_wholly_a_sum_is_left_alone(question: str) -> None:
    assert calculate(question, "en") is None


@pytest.mark.parametrize("question", ["1/0", "0^-1", "5 / (2 - 2)"])
def test_a_division_by_zero_is_said(question: str) -> None:
    assert calculate(question, "en") == "A number cannot be divided by zero."
    assert calculate(question, "ru") == "На ноль делить нельзя."
