"""The five advisers: each looks its facts up, lets a model tell them, and returns its metadata."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from potok.apps.contract import Node
from potok_apps.jewelry.facts import Facts, numbers_outside
from potok_apps.jewelry.house import Asked, House
from potok_apps.jewelry.preferences import Preferences, describe, remarks_on
from potok_apps.jewelry.reasons import dropped_text
from potok_apps.jewelry.search import Found, Match, search_products
from potok_apps.jewelry.taste_store import read_facts, read_profile, remember_fact, take_answer
from potok_apps.jewelry.texts import Language, Text
from potok_apps.jewelry.trends import Trends, read_trends
from potok_apps.jewelry.wishes import parse_wishes
from potok_apps.jewelry.zodiac import SIGNS, Sign, find_birthday, find_sign, sign_of

__all__ = [
    "ADVISERS",
    "Adviser",
    "consultation_metadata",
    "look_for_pieces",
    "piece_facts",
]

Adviser = Callable[[Node, House, Asked], Awaitable[dict[str, Any]]]

_PIECES_SHOWN = 5
_TRENDS_WITH_PIECES = 2

_CONSULTANT = Text(
    "Ты консультант ювелирного дома. Посоветуй изделия из фактов и скажи, почему они подходят.",
    "You are the consultant of a jewelry house. Recommend the pieces of the facts and say why.",
)
_FRIEND = Text(
    "Ты подруга, которая разбирается в украшениях: тепло поддержи и дай совет по стилю.",
    "You are a friend who knows jewelry: be warm and give advice on style.",
)
_ANALYST = Text(
    "Ты аналитик ювелирного дома. Перескажи выводы; числа бери только из фактов.",
    "You are the analyst of a jewelry house. Tell the findings; take numbers from the facts only.",
)
_TREND = Text(
    "Ты следишь за ювелирной модой. Расскажи о тенденциях и назови заметки, на которых они стоят.",
    "You follow jewelry fashion. Tell of the trends and name the notes that they rest on.",
)
_TASTE = Text(
    "Ты определяешь вкус покупателя. Расскажи, каким он вышел, и что подойдёт.",
    "You find out a customer's taste. Tell what it is and what suits it.",
)


async def look_for_pieces(
    house: House, asked: Asked, owner: Mapping[str, str]
) -> tuple[Preferences, Found]:
    """Return what a message wishes and the pieces that fit, those of the customer's taste first."""
    wishes = parse_wishes(asked.message, _said(asked.history))
    profile = await read_profile(house.engine, **owner)
    taste = profile.weights if profile is not None else None
    found = await search_products(house.engine, wishes, items_max=_PIECES_SHOWN, taste=taste)
    return wishes, found


def _said(history: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(str(turn["role"]), str(turn["content"])) for turn in history]


def piece_facts(wishes: Preferences, found: Found, language: Language) -> list[str]:
    """Return whole sentences on what was looked for and found."""
    facts: list[str] = []
    understood = describe(wishes).within(language)
    if understood and not wishes.is_empty:
        facts.append(Text("Я ищу: {}.", "I look for: {}.").within(language).format(understood))
    facts += [remark.within(language) for remark in remarks_on(wishes)]
    if found.dropped:
        facts.append(dropped_text(wishes, found.dropped).within(language))
    if not found.matches:
        facts.append(_NOTHING.within(language))
    elif found.total > len(found.matches):
        facts.append(_BEST_OF.within(language).format(found.total))
    facts.append("\n".join(_piece_line(match, language) for match in found.matches))
    if wishes.is_empty:
        facts.append(_ASK_MORE.within(language))
    return facts


_BEST_OF = Text("Всего подходит изделий: {}. Лучшие из них:", "Pieces that fit: {}. The best:")
_NOTHING = Text(
    "Сейчас подходящих изделий в наличии нет.", "Nothing that fits is in stock right now."
)
_ASK_MORE = Text(
    "Расскажите, что вы ищете: кольцо, серьги или что-то другое, из какого металла, с каким камнем,"
    " по какому поводу и на какой бюджет, — и я подберу точнее.",
    "Tell me what you look for: a ring, earrings or something else, the metal, the stone, the"
    " occasion and the budget, and I will find better.",
)


def _piece_line(match: Match, language: Language) -> str:
    name, why = match.product.title.within(language), match.reason.within(language)
    return f"- **{name}** ({match.product.id}). {why}"


async def consult(node: Node, house: House, asked: Asked) -> dict[str, Any]:
    """Recommend pieces."""
    wishes, found = await look_for_pieces(house, asked, asked.owner_of(node))
    facts = piece_facts(wishes, found, asked.language)
    await asked.answer(node, role=_CONSULTANT.within(asked.language), facts=facts)
    return consultation_metadata(wishes, found, asked.language)


def consultation_metadata(wishes: Preferences, found: Found, language: Language) -> dict[str, Any]:
    """Return the documented keys of a consultation."""
    return {
        "recommendations": [match.product.id for match in found.matches],
        "products": [match.as_metadata(language) for match in found.matches],
        "extracted_preferences": wishes.as_metadata(),
        "filters_applied": list(found.filters),
        "filters_dropped": list(found.dropped),
        "total_found": found.total,
    }


async def befriend(node: Node, house: House, asked: Asked) -> dict[str, Any]:
    """Advise as a friend does, by the sign of the zodiac if it is known."""
    owner = asked.owner_of(node)
    sign = await _sign_of(house, asked, owner)
    wishes, found = await look_for_pieces(house, asked, owner)
    language = asked.language
    facts: list[str] = [_WARM.within(language)]
    if sign is not None:
        facts.append(_about_sign(sign).within(language))
    facts += piece_facts(wishes, found, language)
    await asked.answer(node, role=_FRIEND.within(language), facts=facts)
    return {
        "zodiac_sign": sign.name.within(language) if sign is not None else None,
        **consultation_metadata(wishes, found, language),
    }


async def _sign_of(house: House, asked: Asked, owner: Mapping[str, str]) -> Sign | None:
    birthday = find_birthday(asked.message)
    sign = find_sign(asked.message)
    if sign is None and birthday is not None:
        sign = sign_of(birthday.month, birthday.day)
    if sign is not None:
        # The newest word takes the older one's place, so that saying it twice changes nothing.
        now = house.clock.now()
        await remember_fact(house.engine, **owner, name="zodiac", value=sign.code, now=now)
        return sign
    known = (await read_facts(house.engine, **owner)).get("zodiac")
    return SIGNS.get(known) if isinstance(known, str) else None


_WARM = Text(
    "Как хорошо, что ты спросила! Украшение — это способ сказать себе «я у себя есть»."
    " Давай выберем то, что порадует.",
    "I am glad that you asked! A piece of jewelry is a way to be kind to yourself. Let us choose"
    " what will please you.",
)


def _about_sign(sign: Sign) -> Text:
    return Text(
        f"Твой знак — {sign.name.ru}: {sign.mood.ru}. Это, конечно, игра, но приятная.",
        f"Your sign is {sign.name.en}: {sign.mood.en}. It is only a game, but a pleasant one.",
    )


async def analyse(node: Node, house: House, asked: Asked) -> dict[str, Any]:
    """Tell what the orders say; numbers that are no facts are owned up to."""
    analysis = await house.analyst.analyse()
    facts = [sentence.within(asked.language) for sentence in analysis.sentences()]
    text = await asked.answer(node, role=_ANALYST.within(asked.language), facts=facts)
    wrong = await _own_up(node, text, analysis.facts, asked.language)
    return {**analysis.as_metadata(asked.language), "unsupported_numbers": wrong}


async def _own_up(node: Node, text: str, facts: Facts, language: Language) -> list[str]:
    """Say which numbers of a text the data does not have; a model may have made them up."""
    wrong = list(dict.fromkeys(numbers_outside(text, facts)))
    if wrong:
        told = _UNSUPPORTED.within(language).format(", ".join(wrong))
        await node.write(f"\n\n{told}")
    return wrong


_UNSUPPORTED = Text(
    "Поправка: этих чисел в данных нет, не опирайтесь на них: {}.",
    "Correction: the data does not have these numbers, do not rely on them: {}.",
)


async def follow_trends(node: Node, house: House, asked: Asked) -> dict[str, Any]:
    """Tell what is in fashion, with pieces of it."""
    trends = await read_trends(house.engine)
    language = asked.language
    _, found = await look_for_pieces(house, asked, asked.owner_of(node))
    facts = [sentence.within(language) for sentence in trends.sentences()]
    shown = found.matches[:_TRENDS_WITH_PIECES] if found.filters else ()
    if shown:
        facts.append("\n".join(_piece_line(match, language) for match in shown))
    text = await asked.answer(node, role=_TREND.within(language), facts=facts)
    wrong = await _own_up(node, text, _trend_facts(trends, shown), language)
    return {
        **trends.as_metadata(language),
        "products": [match.as_metadata(language) for match in shown],
        "unsupported_numbers": wrong,
    }


def _trend_facts(trends: Trends, shown: Sequence[Match]) -> Facts:
    known = trends.facts
    return Facts(known.numbers, known.names | {match.product.id for match in shown})


async def find_taste(node: Node, house: House, asked: Asked) -> dict[str, Any]:
    """Take an answer of the taste test and ask on; with the last one, tell the profile."""
    owner, language = asked.owner_of(node), asked.language
    # Keyed by the run: a crash that repeats this node repeats no answer.
    step = await take_answer(
        house.engine,
        **owner,
        message_id=node.run,
        message=asked.message,
        now=house.clock.now(),
    )
    metadata = step.as_metadata(language)
    profile = await read_profile(house.engine, **owner)
    if profile is not None:
        metadata["profile"] = profile.as_metadata(language)
    if profile is None or not step.state.is_complete:
        await node.write(step.reply.within(language))
        return metadata
    found = await search_products(
        house.engine, profile.wishes, items_max=_PIECES_SHOWN, taste=profile.weights
    )
    facts = [
        step.reply.within(language),
        profile.text.within(language),
        "\n".join(_piece_line(match, language) for match in found.matches),
    ]
    await asked.answer(node, role=_TASTE.within(language), facts=facts)
    metadata["products"] = [match.as_metadata(language) for match in found.matches]
    metadata["recommendations"] = [match.product.id for match in found.matches]
    return metadata


ADVISERS: Mapping[str, Adviser] = {
    "consultant": consult,
    "girlfriend": befriend,
    "analysis": analyse,
    "trend": follow_trends,
    "taste": find_taste,
}
