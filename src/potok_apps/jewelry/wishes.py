"""From what people write to `Preferences`. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from potok_apps.jewelry.bounds import (
    HISTORY_CHARACTERS_MAX,
    HISTORY_TURNS_MAX,
    LOW_BUDGET_RUB,
    MESSAGE_CHARACTERS_MAX,
    PREMIUM_BUDGET_RUB,
)
from potok_apps.jewelry.budget import Budget, find_budget
from potok_apps.jewelry.mentions import Mention, read_text
from potok_apps.jewelry.preferences import LISTS, Preferences
from potok_apps.jewelry.texts import listed
from potok_apps.jewelry.titles import find_titles
from potok_apps.jewelry.words import Word
from potok_apps.jewelry.zodiac import find_sign

__all__ = ["Said", "parse_wishes"]

Said = tuple[str, str]
"""One turn: (role, text); only those of the role `user` hold wishes."""

_CHEAPER = 0.7  # what «подешевле» makes of a budget that was named before
_RING_SIZES = (13.0, 24.0)
_SIZE = re.compile(r"^\d{1,2}(?:[.,]\d)?$")
_LENGTH_UNITS = frozenset(listed("см сантиметр сантиметра сантиметров cm"))


def parse_wishes(message: str, history: Iterable[Said] = ()) -> Preferences:
    """Return what somebody wants now, given what they said before.

    A later turn wins over an earlier one, field by field: «а в серебре?» keeps all but the metal.
    """
    turns = [text for role, text in list(history)[-HISTORY_TURNS_MAX:] if role == "user"]
    preferences = Preferences()
    for turn in turns:
        preferences = _updated(preferences, turn[:HISTORY_CHARACTERS_MAX])
    return _updated(preferences, message[:MESSAGE_CHARACTERS_MAX])


def _updated(before: Preferences, text: str) -> Preferences:
    words, mentions = read_text(text)
    wanted, refused, optional = _by_stance(mentions)
    if before.recipient and set(wanted.get("recipient", before.recipient)) - set(before.recipient):
        # Somebody else's present is another search.
        before = Preferences()
    changes: dict[str, Any] = {}
    for kind in LISTS:
        if kind in optional:
            changes[kind] = ()
        if kind in wanted:
            changes[kind] = tuple(dict.fromkeys(wanted[kind]))
    changes.update(_colors(wanted, words, mentions))
    without = [pair for pair in before.without if pair[1] not in wanted.get(pair[0], [])]
    without += [
        (kind, value)
        for kind, values in refused.items()
        for value in values
        if kind in LISTS and value not in wanted.get(kind, [])
    ]
    for kind in {kind for kind, _ in without}:
        kept: tuple[str, ...] = changes.get(kind, getattr(before, kind))
        changes[kind] = tuple(value for value in kept if (kind, value) not in without)
    changes["without"] = tuple(dict.fromkeys(without))
    named = find_titles(words)
    if named or "category" in wanted:
        # «а серьги?» asks for another piece than the one that was named before.
        changes["named"] = named
    changes.update(_budget(before, words, wanted, optional))
    if (size := _size(words)) is not None:
        changes["size"] = size
    if (sign := find_sign(text)) is not None:
        changes["zodiac"] = sign.code
    changes["absent"] = tuple(dict.fromkeys(wanted.get("absent", ())))
    if "sale" in wanted:
        changes["is_on_sale"] = True
    return replace(before, **changes)


def _by_stance(
    mentions: Sequence[Mention],
) -> tuple[dict[str, list[str]], dict[str, list[str]], set[str]]:
    """Return wanted and refused values by kind, and kinds of which anything will do."""
    wanted: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    optional: set[str] = set()
    for mention in mentions:
        if mention.kind == "any":
            optional.add(mention.value)
        elif mention.stance == "optional":
            optional.add(mention.kind)
        elif mention.stance == "wanted":
            wanted.setdefault(mention.kind, []).append(mention.value)
        else:
            refused.setdefault(mention.kind, []).append(mention.value)
    # «с лунным камнем» names its stone, and «с камнем» adds nothing to it.
    if len(stones := wanted.get("stone", [])) > 1:
        wanted["stone"] = [stone for stone in stones if stone != "any"]
    return wanted, refused, optional


def _colors(
    wanted: dict[str, list[str]], words: Sequence[Word], mentions: Sequence[Mention]
) -> dict[str, Any]:
    """Read colours: a metal without one drops that of an earlier turn; two may share «золото»."""
    if "metal" in wanted and "metal_color" not in wanted:
        return {"metal_color": ()}
    for mention in mentions:
        if mention.kind == "metal_color" and mention.stance == "wanted" and mention.begin >= 2:
            before = [word.text for word in words[mention.begin - 2 : mention.begin]]
            other = _color(before[0])
            if other and before[1] in {"и", "или", "or", "and"}:
                return {"metal_color": tuple(dict.fromkeys((other, *wanted["metal_color"])))}
    return {}


def _color(word: str) -> str:
    begins = {"бел": "white", "желт": "yellow", "розов": "rose", "красн": "rose", "white": "white"}
    begins |= {"yellow": "yellow", "rose": "rose", "pink": "rose"}
    return next((color for begin, color in begins.items() if word.startswith(begin)), "")


def _budget(
    before: Preferences,
    words: Sequence[Word],
    wanted: dict[str, list[str]],
    optional: set[str],
) -> dict[str, Any]:
    found = find_budget(words)
    if found is not None and (found.low is not None or found.high is not None):
        return _as_fields(found, is_guessed=False)
    if "budget" in optional:
        return _as_fields(Budget(), is_guessed=False)
    foreign = {"is_currency_foreign": True} if found is not None else {}
    levels = wanted.get("price", [])
    if "low" in levels:
        high = before.budget_max
        is_lower = high is not None and any("деш" in word.text for word in words)
        limit = round(high * _CHEAPER) if high is not None and is_lower else LOW_BUDGET_RUB
        return foreign | _as_fields(Budget(high=limit), is_guessed=True)
    if "high" in levels:
        low = before.budget_max or PREMIUM_BUDGET_RUB
        return foreign | _as_fields(Budget(low=low), is_guessed=True)
    return foreign


def _as_fields(budget: Budget, *, is_guessed: bool) -> dict[str, Any]:
    return {
        "budget_min": budget.low,
        "budget_max": budget.high,
        "is_budget_guessed": is_guessed,
        "is_currency_foreign": budget.is_foreign,
    }


def _size(words: Sequence[Word]) -> str | None:
    """Return «17,5 размер», «размер 18» or «45 см» as the catalogue writes it."""
    for place, word in enumerate(words):
        if not _SIZE.match(word.text):
            continue
        value = float(word.text.replace(",", "."))
        after = [
            one.text for one in words[place + 1 : place + 4] if one.text not in {"-", "й", "го"}
        ]
        before = [one.text for one in words[max(0, place - 2) : place]]
        is_ring = any(text.startswith(("размер", "size")) for text in (*after[:1], *before))
        is_length = bool(after) and after[0] in _LENGTH_UNITS
        if is_length or (is_ring and _RING_SIZES[0] <= value <= _RING_SIZES[1]):
            return f"{value:g}"
    return None
