"""Why a piece is shown, in words made of facts. Pure."""

from collections.abc import Collection, Iterator

from potok_apps.jewelry.catalogue import Product
from potok_apps.jewelry.preferences import Preferences
from potok_apps.jewelry.texts import Text, joined, money
from potok_apps.jewelry.vocabulary import AUDIENCES_OF, OCCASIONS, STYLES, label
from potok_apps.jewelry.zodiac import SIGNS

__all__ = ["FILTER_NAMES", "dropped_text", "reason_of"]

FILTER_NAMES = {
    "name": Text("название", "name"),
    "category": Text("вид украшения", "kind of piece"),
    "metal": Text("металл", "metal"),
    "metal_color": Text("цвет металла", "colour of the metal"),
    "stone": Text("камень", "stone"),
    "occasion": Text("повод", "occasion"),
    "style": Text("стиль", "style"),
    "recipient": Text("для кого", "for whom"),
    "size": Text("размер", "size"),
    "budget": Text("бюджет", "budget"),
    "sale": Text("скидка", "reduced price"),
}


def reason_of(product: Product, wishes: Preferences, *, dropped: Collection[str]) -> Text:
    """Return one line on a piece; filters that were dropped are named at its end."""
    line = joined(_facts(product, wishes), "; ")
    text = Text(line.ru[:1].upper() + line.ru[1:] + ".", line.en[:1].upper() + line.en[1:] + ".")
    if not dropped:
        return text
    missing = dropped_text(wishes, dropped)
    return Text(f"{text.ru} {missing.ru}", f"{text.en} {missing.en}")


def dropped_text(wishes: Preferences, dropped: Collection[str]) -> Text:
    """Return the sentence that says which wishes could not be met together with the others."""
    names = joined(_wish_name(wishes, name) for name in dropped)
    return Text(
        f"Точного совпадения нет, не учтено: {names.ru}.",
        f"Nothing fits exactly; not considered: {names.en}.",
    )


def _wish_name(wishes: Preferences, name: str) -> Text:
    kind = FILTER_NAMES[name]
    values: tuple[str, ...] = getattr(wishes, name, ()) if name not in ("size", "budget") else ()
    labels = [label(name, value) for value in values if value != "any"]
    if not labels:
        return kind
    said = joined(labels, "/")
    return Text(f"{kind.ru} ({said.ru})", f"{kind.en} ({said.en})")


def _facts(product: Product, wishes: Preferences) -> Iterator[Text]:
    yield product.material
    yield _price(product, wishes)
    occasions = [OCCASIONS[one] for one in wishes.occasion if one in product.occasions]
    if occasions:
        names = joined(occasions)
        yield Text(f"повод: {names.ru}", f"occasion: {names.en}")
    styles = [STYLES[one] for one in wishes.style if one in product.style]
    if styles:
        names = joined(styles)
        yield Text(f"стиль: {names.ru}", f"style: {names.en}")
    recipients = [
        label("recipient", one)
        for one in wishes.recipient
        if set(AUDIENCES_OF.get(one, ())) & set(product.for_whom)
    ]
    if recipients:
        names = joined(recipients)
        yield Text(f"подойдёт {names.ru}", f"suits {names.en}")
    if wishes.size is not None and float(wishes.size) in product.sizes:
        size = wishes.size
        yield Text(f"есть размер {size.replace('.', ',')}", f"size {size} is there")
    if wishes.zodiac in product.zodiac and wishes.zodiac is not None:
        sign = SIGNS[wishes.zodiac].name
        yield Text(f"камень знака {sign.ru}", f"a stone of {sign.en}")


def _price(product: Product, wishes: Preferences) -> Text:
    price = product.price
    parts = [price]
    high = wishes.budget_max
    if high is not None and not wishes.is_budget_guessed:
        if product.price_rub <= high:
            limit = money(high)
            parts.append(Text(f"в бюджете до {limit.ru}", f"within {limit.en}"))
        else:
            more = money(product.price_rub - high)
            parts.append(Text(f"дороже бюджета на {more.ru}", f"{more.en} over the budget"))
    if product.old_price_rub is not None:
        old = money(product.old_price_rub)
        parts.append(Text(f"раньше {old.ru}", f"was {old.en}"))
    return joined(parts)
