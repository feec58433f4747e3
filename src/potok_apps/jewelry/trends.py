"""What journals write about: scores of tags from dated notes, joined with what is sold.

A note counts for its tags by their weight, less with age. What a note says is data: its words are
never read as rules, and only its tags and its date are counted.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from potok_apps.jewelry.bounds import DATA_AS_OF
from potok_apps.jewelry.facts import Fact, Facts
from potok_apps.jewelry.tables import (
    order_items,
    product_stones,
    product_tags,
    products,
    trend_notes,
    trend_tags,
)
from potok_apps.jewelry.texts import Language, Text, number, percent
from potok_apps.jewelry.themes import TAGS, Tag

__all__ = ["Note", "Trend", "Trends", "read_trends", "score_trends"]

DECAY_DAYS = 90  # a note of this age counts e times less than one of today
RECENT_DAYS = 60
EARLIER_DAYS = 120  # the time before the recent days that they are compared with
EMERGING_MOMENTUM = 1.5
EMERGING_NOTES_MIN = 3
_SCORE_DIGITS = 1
_TOLD = 5  # trends in prose; the metadata has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note of a journal, with the tags it was filed under."""

    id: str
    published_on: date
    title: Text
    body: str
    tags: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One tag: `score` is 0 to 100; `momentum` is recent interest against earlier, per day.

    `momentum` is None where nothing was written earlier. `sales_share` is of the revenue.
    """

    tag: str
    score: float
    momentum: float | None
    note_ids: tuple[str, ...]
    is_emerging: bool
    sales_share: float | None = None

    @property
    def title(self) -> Text:
        """The theme in words."""
        return TAGS[self.tag].title if self.tag in TAGS else Text(self.tag, self.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """All tags, the highest score first, and the notes they were counted from, newest first."""

    data_as_of: date
    trends: tuple[Trend, ...]
    notes: tuple[Note, ...]

    @property
    def emerging(self) -> tuple[Trend, ...]:
        """What is written about much more than before, the steepest first."""
        rising = [one for one in self.trends if one.is_emerging]
        return tuple(sorted(rising, key=lambda one: (-(one.momentum or math.inf), one.tag)))

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return everything as JSON, without the bodies of notes."""
        return {
            "trends": {one.tag: _trend_metadata(one, language) for one in self.trends},
            "trend_scores": {one.tag: one.score for one in self.trends},
            "emerging_trends": [
                {
                    "tag": one.tag,
                    "title": one.title.within(language),
                    "momentum": _rounded(one.momentum),
                }
                for one in self.emerging
            ],
            "notes": [
                {
                    "id": note.id,
                    "title": note.title.within(language),
                    "published_on": str(note.published_on),
                }
                for note in self.notes
            ],
            "data_as_of": str(self.data_as_of),
        }

    @property
    def facts(self) -> Facts:
        """The numbers that prose about these trends may use."""
        names = {str(self.data_as_of)} | {note.id for note in self.notes}
        names |= {str(note.published_on) for note in self.notes}
        return Facts(tuple(_facts(self)), frozenset(names))

    def sentences(self) -> tuple[Text, ...]:
        """Return what matters in whole sentences, with the notes they rest on."""
        return tuple(_sentences(self))


async def read_trends(engine: AsyncEngine, *, as_of: date = DATA_AS_OF) -> Trends:
    """Return the trends of the notes in the tables, each with its share of all revenue."""
    async with engine.connect() as connection:
        notes = await _read_notes(connection)
        shares = await _read_shares(connection)
    scored = score_trends(notes, as_of=as_of)
    return Trends(
        data_as_of=as_of,
        trends=tuple(replace(one, sales_share=shares.get(one.tag)) for one in scored),
        notes=tuple(sorted(notes, key=lambda note: (-note.published_on.toordinal(), note.id))),
    )


def score_trends(notes: Sequence[Note], *, as_of: date) -> list[Trend]:
    """Return all tags of some notes, the highest score first; shares of sales are left open."""
    weights: dict[str, float] = {}
    sources: dict[str, list[Note]] = {}
    for note in sorted(notes, key=lambda note: (-note.published_on.toordinal(), note.id)):
        age = (as_of - note.published_on).days
        if age < 0:
            continue
        for tag, weight in note.tags.items():
            weights[tag] = weights.get(tag, 0.0) + weight * math.exp(-age / DECAY_DAYS)
            sources.setdefault(tag, []).append(note)
    highest = max(weights.values(), default=1.0)
    trends = []
    for tag, weight in weights.items():
        momentum = _momentum(tag, sources[tag], as_of)
        is_rising = momentum is None or momentum > EMERGING_MOMENTUM
        trends.append(
            Trend(
                tag=tag,
                score=round(100 * weight / highest, _SCORE_DIGITS),
                momentum=momentum,
                note_ids=tuple(note.id for note in sources[tag]),
                is_emerging=is_rising and len(sources[tag]) >= EMERGING_NOTES_MIN,
            )
        )
    return sorted(trends, key=lambda one: (-one.score, one.tag))


def _momentum(tag: str, notes: Sequence[Note], as_of: date) -> float | None:
    ages = [((as_of - note.published_on).days, note.tags[tag]) for note in notes]
    recent = sum(weight for age, weight in ages if age < RECENT_DAYS)
    earlier = sum(weight for age, weight in ages if RECENT_DAYS <= age < RECENT_DAYS + EARLIER_DAYS)
    if not earlier:
        return None if recent else 0.0
    return (recent / RECENT_DAYS) / (earlier / EARLIER_DAYS)


async def _read_notes(connection: AsyncConnection) -> list[Note]:
    tags: dict[str, dict[str, float]] = {}
    for row in await connection.execute(select(trend_tags).order_by(trend_tags.c.tag)):
        tags.setdefault(row.note_id, {})[row.tag] = row.weight
    rows = await connection.execute(select(trend_notes).order_by(trend_notes.c.id))
    return [
        Note(
            id=row.id,
            published_on=date.fromisoformat(row.published_on),
            title=Text(row.title, row.title_en),
            body=row.body,
            tags=tags.get(row.id, {}),
        )
        for row in rows
    ]


async def _read_shares(connection: AsyncConnection) -> dict[str, float]:
    """Return each tag's share of the revenue, for tags that pieces can show."""
    shown = {name: tag for name, tag in TAGS.items() if tag.kind is not None}
    # Pieces are few and items many: what a piece shows is asked once.
    sold = (
        select(order_items.c.product_id, func.sum(order_items.c.price_rub).label("revenue"))
        .group_by(order_items.c.product_id)
        .subquery()
    )
    columns = [func.sum(case((_shows(tag), sold.c.revenue), else_=0)) for tag in shown.values()]
    query = select(func.sum(sold.c.revenue), *columns).join(
        products, products.c.id == sold.c.product_id
    )
    total, *sums = (await connection.execute(query)).one()
    if not total:
        return {}
    return {name: float(part) / float(total) for name, part in zip(shown, sums, strict=True)}


def _shows(tag: Tag) -> ColumnElement[bool]:
    match tag.kind:
        case "category" | "metal" | "metal_color":
            return products.c[tag.kind].in_(tag.values)
        case "stone":
            return exists().where(
                product_stones.c.product_id == products.c.id, product_stones.c.type.in_(tag.values)
            )
        case _:
            return exists().where(
                product_tags.c.product_id == products.c.id,
                product_tags.c.kind == tag.kind,
                product_tags.c.value.in_(tag.values),
            )


def _trend_metadata(trend: Trend, language: Language) -> dict[str, Any]:
    return {
        "title": trend.title.within(language),
        "summary": _summary(trend).within(language),
        "score": trend.score,
        "momentum": _rounded(trend.momentum),
        "note_ids": list(trend.note_ids),
        "sales_share": None if trend.sales_share is None else round(trend.sales_share, 4),
    }


def _rounded(momentum: float | None) -> float | None:
    return None if momentum is None else round(momentum, 2)


def _facts(trends: Trends) -> Iterator[Fact]:
    yield Fact("notes", len(trends.notes), "count")
    yield Fact("trends", len(trends.trends), "count")
    yield Fact("emerging", len(trends.emerging), "count")
    yield Fact("scale", 100, "count")
    yield Fact("year", trends.data_as_of.year, "count")
    yield Fact("recent_days", RECENT_DAYS, "count")
    yield Fact("earlier_days", EARLIER_DAYS, "count")
    for one in trends.trends:
        yield Fact(f"{one.tag}_score", one.score, "count")
        yield Fact(f"{one.tag}_notes", len(one.note_ids), "count")
        if one.momentum is not None:
            yield Fact(f"{one.tag}_momentum", one.momentum, "ratio")
        if one.sales_share is not None:
            yield Fact(f"{one.tag}_share", one.sales_share * 100, "percent")


def _sentences(trends: Trends) -> Iterator[Text]:
    for one in trends.trends[:_TOLD]:
        yield _summary(one)
    for one in trends.emerging:
        notes = ", ".join(one.note_ids)
        if one.momentum is None:
            yield Text(
                f"После тишины заговорили: {one.title.ru} ({notes}).",
                f"Spoken of again after silence: {one.title.en} ({notes}).",
            )
            continue
        times = number(one.momentum, 1)
        yield Text(
            f"Набирает силу: {one.title.ru}, пишут в {times.ru} раза чаще прежнего ({notes}).",
            f"Gaining ground: {one.title.en}, written about {times.en} times as often as before"
            f" ({notes}).",
        )


def _summary(trend: Trend) -> Text:
    score = number(trend.score, _SCORE_DIGITS)
    notes = ", ".join(trend.note_ids)
    if trend.sales_share is None:
        share = Text("", "")
    else:
        part = percent(trend.sales_share)
        share = Text(f", доля в выручке {part.ru}", f", {part.en} of revenue")
    return Text(
        f"{trend.title.ru}: {score.ru} из 100{share.ru}; заметки {notes}.",
        f"{trend.title.en}: {score.en} of 100{share.en}; notes {notes}.",
    )
