"""The pieces of the house as nouns, and the file they are read from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from potok_apps.jewelry.texts import Language, Text, joined, money, number
from potok_apps.jewelry.vocabulary import CARE, CATEGORIES, METALS, STONES

__all__ = ["Product", "Stone", "read_catalogue"]

_COLORED_GOLD = {
    "white": Text("белое золото", "white gold"),
    "yellow": Text("жёлтое золото", "yellow gold"),
    "rose": Text("розовое золото", "rose gold"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stone:
    """Stones of one kind in a piece; `carat` is their weight together, None for organic ones."""

    type: str
    carat: float | None
    color: str
    cut: str

    @property
    def text(self) -> Text:
        """Its name and weight for people."""
        name = STONES[self.type]
        if self.carat is None:
            return name
        weight = number(self.carat, 2 if self.carat * 10 % 1 else 1)
        return Text(f"{name.ru} {weight.ru} карата", f"{name.en} {weight.en} ct")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One piece. Sizes are ring sizes, or centimetres; empty means that there is but one.

    `note` is what a supplier wrote: words of strangers, never shown and never obeyed.
    """

    id: str
    name: str
    name_en: str
    category: str
    metal: str
    fineness: int
    metal_color: str
    stones: tuple[Stone, ...]
    weight_g: float
    sizes: tuple[float, ...]
    price_rub: int
    old_price_rub: int | None
    collection: str
    style: tuple[str, ...]
    occasions: tuple[str, ...]
    for_whom: tuple[str, ...]
    zodiac: tuple[str, ...]
    stock: int
    rating: float
    created: str
    description: str
    description_en: str
    care: str
    note: str | None

    @property
    def title(self) -> Text:
        """Its name."""
        return Text(self.name, self.name_en)

    @property
    def material(self) -> Text:
        """Metal with its colour and fineness, then stones."""
        metal = _COLORED_GOLD[self.metal_color] if self.metal == "gold" else METALS[self.metal]
        fine = Text(f"{metal.ru} {self.fineness}", f"{metal.en} {self.fineness}")
        return joined([fine, *(stone.text for stone in self.stones)])

    @property
    def price(self) -> Text:
        """What it costs."""
        return money(self.price_rub)

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return what clients are told of a piece; the supplier's note is not among it."""
        return {
            "id": self.id,
            "name": self.title.within(language),
            "category": self.category,
            "category_name": CATEGORIES[self.category].within(language),
            "metal": self.metal,
            "metal_color": self.metal_color,
            "fineness": self.fineness,
            "stones": [{"type": stone.type, "carat": stone.carat} for stone in self.stones],
            "material": self.material.within(language),
            "sizes": list(self.sizes),
            "price_rub": self.price_rub,
            "old_price_rub": self.old_price_rub,
            "collection": self.collection,
            "style": list(self.style),
            "occasions": list(self.occasions),
            "for_whom": list(self.for_whom),
            "in_stock": self.stock > 0,
            "rating": self.rating,
            "description": self.description if language == "ru" else self.description_en,
            "care": CARE[self.care].within(language),
        }


@cache
def read_catalogue() -> tuple[Product, ...]:
    """Return all pieces as the file has them, by id."""
    file = resources.files("potok_apps.jewelry") / "data" / "catalogue.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["pieces"]
    return tuple(_product(row) for row in rows)


def _product(row: Mapping[str, Any]) -> Product:
    lists = ("sizes", "style", "occasions", "for_whom", "zodiac")
    stones = [Stone(**{"carat": None, **stone}) for stone in row["stones"]]
    optional = {"old_price_rub": None, "note": None}
    return Product(
        **{**optional, **row, "stones": tuple(stones), **{key: tuple(row[key]) for key in lists}}
    )
