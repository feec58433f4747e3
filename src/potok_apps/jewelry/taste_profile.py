"""A profile of somebody's taste: weights from the answers, and wishes to search by. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from potok_apps.jewelry.preferences import Preferences
from potok_apps.jewelry.taste import TasteState
from potok_apps.jewelry.taste_questions import QUESTIONS
from potok_apps.jewelry.texts import Language, Text, joined, money
from potok_apps.jewelry.vocabulary import label
from potok_apps.jewelry.zodiac import SIGNS, sign_of

__all__ = ["Profile", "profile_of"]

# What one value says of another kind, with less weight than if it had been said itself.
_HINTS = {
    ("scale", "small"): ("style", "minimalism", 0.5),
    ("scale", "bold"): ("style", "avant_garde", 0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Weights of 0 to 1 by kind and value; `confidence` is the share of questions answered."""

    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    recipient: tuple[str, ...] = ()
    budget_min: int | None = None
    budget_max: int | None = None
    scale: str | None = None
    zodiac: str | None = None
    confidence: float = 0.0

    @property
    def wishes(self) -> Preferences:
        """What pieces must be: in the budget, for the right person. Taste itself only weighs."""
        return Preferences(
            recipient=self.recipient,
            budget_min=self.budget_min,
            budget_max=self.budget_max,
            zodiac=self.zodiac,
        )

    @property
    def text(self) -> Text:
        """The profile in one sentence."""
        told = joined(_told(self), "; ")
        if not told.ru:
            return Text("Ваш профиль пока пуст.", "Your profile is empty so far.")
        return Text(f"Ваш вкус: {told.ru}.", f"Your taste: {told.en}.")

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return the documented keys of a profile."""
        sign = SIGNS[self.zodiac].name.within(language) if self.zodiac else None
        return {
            "styles": dict(self.weights.get("style", {})),
            "metals": dict(self.weights.get("metal", {})),
            "metal_colors": dict(self.weights.get("metal_color", {})),
            "stones": dict(self.weights.get("stone", {})),
            "occasions": dict(self.weights.get("occasion", {})),
            "recipient": list(self.recipient),
            "budget": {"min": self.budget_min, "max": self.budget_max},
            "scale": self.scale,
            "zodiac_sign": sign,
            "confidence": self.confidence,
        }


def profile_of(state: TasteState) -> Profile:
    """Return the profile that the answers so far make."""
    weights: dict[str, dict[str, float]] = {}
    plain: dict[str, list[str]] = {}
    for _, values in state.answers:
        for kind, value in values:
            plain.setdefault(kind, []).append(value)
    for kind in ("metal", "metal_color", "stone", "style", "occasion"):
        if kind in plain:
            weights[kind] = dict.fromkeys(plain[kind], 1.0)
    for (kind, value), (hinted, meant, weight) in _HINTS.items():
        if value in plain.get(kind, []):
            known = weights.setdefault(hinted, {})
            known[meant] = max(known.get(meant, 0.0), weight)
    answered = sum(bool(values) for _, values in state.answers)
    birthday = plain.get("birthday", [""])[0]
    return Profile(
        weights=weights,
        recipient=tuple(plain.get("recipient", ())),
        budget_min=_roubles(plain, "budget_min"),
        budget_max=_roubles(plain, "budget_max"),
        scale=plain.get("scale", [None])[0],
        zodiac=sign_of(int(birthday[-5:-3]), int(birthday[-2:])).code if birthday else None,
        confidence=round(answered / len(QUESTIONS), 2),
    )


def _roubles(plain: Mapping[str, list[str]], kind: str) -> int | None:
    return int(plain[kind][0]) if kind in plain else None


def _told(profile: Profile) -> Iterator[Text]:
    for kind in ("metal", "style", "stone", "occasion"):
        values = profile.weights.get(kind, {})
        if values:
            yield joined(label(kind, value) for value in values)
    low, high = profile.budget_min, profile.budget_max
    if high is not None:
        yield Text(f"до {money(high).ru}", f"up to {money(high).en}")
    elif low is not None:
        yield Text(f"от {money(low).ru}", f"from {money(low).en}")
    if profile.zodiac is not None:
        name = SIGNS[profile.zodiac].name
        yield Text(f"знак: {name.ru}", f"sign: {name.en}")
