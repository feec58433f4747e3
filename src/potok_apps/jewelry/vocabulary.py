"""The closed sets of values that describe pieces and wishes, with their names for people."""

from collections.abc import Mapping
from types import MappingProxyType

from potok_apps.jewelry.texts import Text

__all__ = [
    "ABSENT",
    "AUDIENCES",
    "AUDIENCES_OF",
    "CARE",
    "CATEGORIES",
    "LABELS",
    "METALS",
    "METAL_COLORS",
    "OCCASIONS",
    "RECIPIENTS",
    "STONES",
    "STYLES",
    "label",
]

CATEGORIES: Mapping[str, Text] = MappingProxyType(
    {
        "ring": Text("кольцо", "ring"),
        "earrings": Text("серьги", "earrings"),
        "pendant": Text("подвеска", "pendant"),
        "bracelet": Text("браслет", "bracelet"),
        "chain": Text("цепь", "chain"),
        "necklace": Text("колье", "necklace"),
        "brooch": Text("брошь", "brooch"),
        "watch": Text("часы", "watch"),
    }
)
METALS: Mapping[str, Text] = MappingProxyType(
    {
        "gold": Text("золото", "gold"),
        "silver": Text("серебро", "silver"),
        "platinum": Text("платина", "platinum"),
    }
)
METAL_COLORS: Mapping[str, Text] = MappingProxyType(
    {
        "white": Text("белый металл", "white metal"),
        "yellow": Text("жёлтый металл", "yellow metal"),
        "rose": Text("розовый металл", "rose metal"),
    }
)
STONES: Mapping[str, Text] = MappingProxyType(
    {
        "diamond": Text("бриллиант", "diamond"),
        "sapphire": Text("сапфир", "sapphire"),
        "emerald": Text("изумруд", "emerald"),
        "ruby": Text("рубин", "ruby"),
        "topaz": Text("топаз", "topaz"),
        "amethyst": Text("аметист", "amethyst"),
        "pearl": Text("жемчуг", "pearl"),
        "garnet": Text("гранат", "garnet"),
        "amber": Text("янтарь", "amber"),
        "turquoise": Text("бирюза", "turquoise"),
        "zirconia": Text("фианит", "zirconia"),
        "citrine": Text("цитрин", "citrine"),
        "peridot": Text("хризолит", "peridot"),
        "aquamarine": Text("аквамарин", "aquamarine"),
        "onyx": Text("оникс", "onyx"),
        "moonstone": Text("лунный камень", "moonstone"),
        "malachite": Text("малахит", "malachite"),
        "opal": Text("опал", "opal"),
        "none": Text("без камней", "no stones"),
    }
)
STYLES: Mapping[str, Text] = MappingProxyType(
    {
        "classic": Text("классика", "classic"),
        "minimalism": Text("минимализм", "minimalism"),
        "vintage": Text("винтаж", "vintage"),
        "avant_garde": Text("авангард", "avant-garde"),
        "ethnic": Text("этника", "ethnic"),
    }
)
OCCASIONS: Mapping[str, Text] = MappingProxyType(
    {
        "engagement": Text("помолвка", "engagement"),
        "wedding": Text("свадьба", "wedding"),
        "anniversary": Text("юбилей или годовщина", "anniversary"),
        "birthday": Text("день рождения", "birthday"),
        "everyday": Text("на каждый день", "every day"),
        "evening": Text("вечерний выход", "evening"),
        "christening": Text("крестины", "christening"),
        "march_8": Text("8 Марта", "8 March"),
        "new_year": Text("Новый год", "New Year"),
        "valentine": Text("День влюблённых", "Valentine's Day"),
    }
)
AUDIENCES: Mapping[str, Text] = MappingProxyType(
    {
        "women": Text("женщинам", "women"),
        "men": Text("мужчинам", "men"),
        "children": Text("детям", "children"),
    }
)
RECIPIENTS: Mapping[str, Text] = MappingProxyType(
    {
        "self": Text("себе", "yourself"),
        "wife": Text("жене", "a wife"),
        "bride": Text("невесте", "a bride"),
        "girlfriend": Text("девушке", "a girlfriend"),
        "mother": Text("маме", "a mother"),
        "grandmother": Text("бабушке", "a grandmother"),
        "sister": Text("сестре", "a sister"),
        "daughter": Text("дочери", "a daughter"),
        "friend": Text("подруге", "a friend"),
        "colleague": Text("коллеге", "a colleague"),
        "woman": Text("женщине", "a woman"),
        "husband": Text("мужу", "a husband"),
        "groom": Text("жениху", "a groom"),
        "boyfriend": Text("молодому человеку", "a boyfriend"),
        "father": Text("папе", "a father"),
        "grandfather": Text("дедушке", "a grandfather"),
        "brother": Text("брату", "a brother"),
        "son": Text("сыну", "a son"),
        "man": Text("мужчине", "a man"),
        "child": Text("ребёнку", "a child"),
    }
)
_WOMEN = ("wife", "bride", "girlfriend", "mother", "grandmother", "sister", "friend", "woman")
_MEN = ("husband", "groom", "boyfriend", "father", "grandfather", "brother", "man")
AUDIENCES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(_WOMEN, ("women",)),
        **dict.fromkeys(_MEN, ("men",)),
        # A grown daughter is not a child any more; who knows of which one they speak?
        "daughter": ("women", "children"),
        "son": ("men", "children"),
        "child": ("children",),
    }
)
"""Recipient -> for whom a piece must be made; recipients that are not here may be anybody."""

CARE: Mapping[str, Text] = MappingProxyType(
    {
        "gold": Text(
            "Протирайте мягкой тканью и снимайте перед бассейном: хлор старит сплав.",
            "Wipe with a soft cloth and take it off before the pool: chlorine ages the alloy.",
        ),
        "silver": Text(
            "Храните в закрытом мешочке; потемневшее серебро вернёт салфетка для чистки.",
            "Keep it in a closed pouch; a polishing cloth brings tarnished silver back.",
        ),
        "hard_stone": Text(
            "Мойте тёплой водой с каплей мыла и мягкой щёткой; раз в год проверяйте крепление.",
            "Wash in warm water with a drop of soap; have the setting checked once a year.",
        ),
        "fragile_stone": Text(
            "Берегите от ударов, перепадов тепла и ультразвуковой чистки.",
            "Keep it from knocks, sudden heat and ultrasonic cleaning.",
        ),
        "soft_stone": Text(
            "Надевайте после духов и крема, храните отдельно, протирайте сухой тканью.",
            "Put it on after perfume and cream, keep it apart, wipe it with a dry cloth.",
        ),
        "watch": Text(
            "Не мойте и не носите в сауне; механизм показывайте мастеру раз в три года.",
            "Do not wash it or wear it in a sauna; show it to a watchmaker every three years.",
        ),
    }
)

ABSENT: Mapping[str, Text] = MappingProxyType(
    {
        "cufflinks": Text("запонки", "cufflinks"),
        "tiara": Text("диадемы", "tiaras"),
        "tie_clip": Text("зажимы для галстука", "tie clips"),
        "piercing": Text("пирсинг", "piercings"),
        "anklet": Text("браслеты на ногу", "anklets"),
        "palladium": Text("палладий", "palladium"),
        "steel": Text("сталь", "steel"),
        "titanium": Text("титан", "titanium"),
        "alexandrite": Text("александрит", "alexandrite"),
        "tanzanite": Text("танзанит", "tanzanite"),
        "tourmaline": Text("турмалин", "tourmaline"),
        "spinel": Text("шпинель", "spinel"),
        "coral": Text("коралл", "coral"),
        "agate": Text("агат", "agate"),
    }
)
"""What people ask jewellers for and this house does not have."""

LABELS: Mapping[str, Mapping[str, Text]] = MappingProxyType(
    {
        "category": CATEGORIES,
        "metal": METALS,
        "metal_color": METAL_COLORS,
        "stone": STONES,
        "style": STYLES,
        "occasion": OCCASIONS,
        "recipient": RECIPIENTS,
        "absent": ABSENT,
    }
)
"""Kind of value -> its values with their names."""


def label(kind: str, value: str) -> Text:
    """Return the name of a value; a value that nobody knows is its own name."""
    return LABELS.get(kind, {}).get(value) or Text(value, value)
