"""What somebody wants, as values that can be looked for."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from potok_apps.jewelry.texts import Text, joined, money
from potok_apps.jewelry.vocabulary import label

__all__ = ["LISTS", "Preferences", "describe", "remarks_on"]

LISTS = ("category", "metal", "metal_color", "stone", "occasion", "style", "recipient")
"""The fields that hold values of `vocabulary.LABELS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Wishes; of several values in a field any one will do, an empty field asks for nothing.

    Args:
        stone: Also `none` (a piece without stones) and `any` (with whatever stone).
        budget_min, budget_max: Roubles.
        is_budget_guessed: The budget stands for a word such as «недорого», not for a number.
        size: Of a ring, or centimetres; in the catalogue's own writing, such as `17.5`.
        named: Ids of pieces that were called by their own names.
        without: (kind, value) pairs that are not wanted at all.
        zodiac: Code of a sign.
        is_on_sale: Only pieces with a lower price than before.
        absent: Things of `vocabulary.ABSENT` that were asked for; the house has none of them.
        is_currency_foreign: A budget was named in a currency that nobody here can convert.
    """

    category: tuple[str, ...] = ()
    metal: tuple[str, ...] = ()
    metal_color: tuple[str, ...] = ()
    stone: tuple[str, ...] = ()
    occasion: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    budget_min: int | None = None
    budget_max: int | None = None
    is_budget_guessed: bool = False
    size: str | None = None
    named: tuple[str, ...] = ()
    without: tuple[tuple[str, str], ...] = ()
    zodiac: str | None = None
    is_on_sale: bool = False
    absent: tuple[str, ...] = ()
    is_currency_foreign: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Preferences(is_currency_foreign=self.is_currency_foreign)

    def as_metadata(self) -> dict[str, Any]:
        """Return what was understood as JSON: one value as text, several as a list, no empty keys.

        The documented key `style` is always there.
        """
        found: dict[str, Any] = {"style": None}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in LISTS and value:
                found[field.name] = value[0] if len(value) == 1 else list(value)
            elif field.name == "without" and value:
                found["without"] = [{"kind": kind, "value": one} for kind, one in value]
            elif field.name in ("absent", "named") and value:
                found[field.name] = list(value)
            elif field.name not in LISTS and value not in (None, False, ()):
                found[field.name] = value
        return found


def describe(preferences: Preferences) -> Text:
    """Return wishes in words, such as «кольцо, золото, до 100 000 ₽»; empty if there are none."""
    return joined(_described(preferences))


def remarks_on(preferences: Preferences) -> list[Text]:
    """Return sentences on what cannot be done for somebody, whatever is found."""
    remarks = []
    if preferences.absent:
        names = joined(label("absent", value) for value in preferences.absent)
        remarks.append(Text(f"Этого в доме нет: {names.ru}.", f"Not made here: {names.en}."))
    if preferences.is_currency_foreign:
        remarks.append(
            Text(
                "Курсов валют я не знаю, назовите бюджет в рублях.",
                "I know no exchange rates; please name a budget in roubles.",
            )
        )
    return remarks


def _described(preferences: Preferences) -> Iterator[Text]:
    for kind in LISTS:
        values: tuple[str, ...] = getattr(preferences, kind)
        names = [_name(kind, value) for value in values]
        if names:
            yield Text(" или ".join(one.ru for one in names), " or ".join(one.en for one in names))
    low, high = preferences.budget_min, preferences.budget_max
    if low is not None and high is not None:
        yield Text(
            f"от {money(low).ru} до {money(high).ru}", f"{money(low).en} to {money(high).en}"
        )
    elif low is not None:
        yield Text(f"от {money(low).ru}", f"from {money(low).en}")
    elif high is not None:
        yield Text(f"до {money(high).ru}", f"up to {money(high).en}")
    if preferences.size is not None:
        size = preferences.size
        yield Text(f"размер {size.replace('.', ',')}", f"size {size}")
    if preferences.is_on_sale:
        yield Text("со скидкой", "reduced")
    for kind, value in preferences.without:
        name = _name(kind, value)
        yield Text(f"не {name.ru}", f"not {name.en}")


def _name(kind: str, value: str) -> Text:
    return Text("с камнем", "with a stone") if value == "any" else label(kind, value)
