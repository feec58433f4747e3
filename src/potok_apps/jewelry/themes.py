"""The themes that journals are read for, and which pieces show them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from potok_apps.jewelry.preferences import Preferences
from potok_apps.jewelry.texts import Text

__all__ = ["TAGS", "Tag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A theme of the journals; `kind` and `values` say which pieces show it, if any do."""

    title: Text
    kind: str | None = None
    values: tuple[str, ...] = ()

    @property
    def wishes(self) -> Preferences | None:
        """Wishes that find its pieces."""
        match self.kind:
            case None:
                return None
            case "for_whom":
                return Preferences(recipient=("man",))
            case _:
                kinds: dict[str, Any] = {self.kind: self.values}
                return replace(Preferences(), **kinds)


def _tag(ru: str, en: str, kind: str | None = None, *values: str) -> Tag:
    return Tag(title=Text(ru, en), kind=kind, values=values)


TAGS: Mapping[str, Tag] = MappingProxyType(
    {
        "amber": _tag("Янтарь", "Amber", "stone", "amber"),
        "baroque_pearl": _tag("Барочный жемчуг", "Baroque pearls", "stone", "pearl"),
        "bold_earrings": _tag("Крупные серьги", "Bold earrings", "category", "earrings"),
        "brooches": _tag("Броши", "Brooches", "category", "brooch"),
        "coloured_stones": _tag(
            *("Цветные камни", "Coloured stones", "stone"),
            *("amethyst", "citrine", "topaz", "peridot", "garnet"),
        ),
        "engagement_color": _tag(
            "Цветные камни в помолвке", "Coloured engagement stones", "stone", "sapphire", "emerald"
        ),
        "ethnic": _tag("Этника", "Ethnic style", "style", "ethnic"),
        "green_stones": _tag(
            "Зелёные камни", "Green stones", "stone", "emerald", "malachite", "peridot"
        ),
        "layered_chains": _tag("Многослойные цепочки", "Layered chains", "category", "chain"),
        "mens_jewelry": _tag("Мужские украшения", "Men's jewellery", "for_whom", "men"),
        "minimalism": _tag("Минимализм", "Minimalism", "style", "minimalism"),
        "mixed_metals": _tag("Смешанные металлы", "Mixed metals"),
        "moon_glow": _tag(
            "Опал и лунный камень", "Opal and moonstone", "stone", "opal", "moonstone"
        ),
        "nature_motifs": _tag("Природные мотивы", "Motifs of nature"),
        "personal": _tag("Гравировка и имена", "Engraving and names"),
        "platinum": _tag("Платина", "Platinum", "metal", "platinum"),
        "silver_forms": _tag("Скульптурное серебро", "Sculpted silver", "metal", "silver"),
        "vintage": _tag("Винтаж", "Vintage", "style", "vintage"),
        "yellow_gold": _tag("Жёлтое золото", "Yellow gold", "metal_color", "yellow"),
    }
)
