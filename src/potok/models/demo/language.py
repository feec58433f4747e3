"""Russian and English: which one a text is in, its words, and words reduced to search terms.

The stemmers are light on purpose: they only have to map two forms of one word to the same term;
what they miss, `retrieval` finds by groups of three letters.
"""

import re
from functools import lru_cache
from typing import Literal

__all__ = ["WEAK_TERMS", "Language", "language_of", "related_terms", "stem", "terms_of", "words_of"]

Language = Literal["ru", "en"]

_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-яё]")
_LATIN = re.compile(r"[a-z]")

_STOP_WORDS = frozenset(
    """
    a about above all also am an and any are as at be been but by can could did do does doing for
    from get give had has have he her here him his how i if in into is it its just know let like
    list many may me mean more most much my need no not of off on one only or our out over please
    say set shall she should show so some tell than thank thanks that the their them then there
    these they this to too under up us very want was we were what when where which while who whom
    whose why will with would yes you your yours explain describe question answer mine myself
    hello hi hey exactly really
    а без более бы был была были было быть в вам вас ваш ваша ваше ваши весь во вот все всего всех
    вы где да для до его ее если есть еще ж же за зачем и из или им их к как какая какие каким
    какого какое какой какую когда кого кому которая которое которые который кто куда ли мне меня
    мной мой моя мое мои моего моей моему моих моим моими мою мы на над надо наш не него нее нет ни
    них но ну нужен нужна нужно о об он она они оно от очень перед по под пожалуйста после потом
    почему при про просто расскажи расскажите объясни объясните покажи покажите скажи скажите опиши
    сейчас со так такая такие такое такой там те тебе тебя то того тоже той только том ты у уже хочу
    чего чей чем что чтобы эта эти это этого этой этом этот эту я спасибо привет здравствуйте
    вопрос ответь ответьте дай дайте сделать можно точно именно твой твоя твое твои
    """.split()
)

_RUSSIAN_ENDINGS = frozenset(
    """
    а я ы и у ю о е ь й ой ей ий ый ая яя ое ее ые ие ия ью ом ем ам ям ах ях ов ев ую юю ого его
    ому ему ами ями ыми ими ых их ым им ией иям иях ием иями ость ости остью
    ать ять ить еть уть ает яет ит ет ют ут ат ят ал ала али ало ил ила или ило ел ела ели ешь ишь
    ете ите аете яете аешь яешь ают яют ение ения ению ением ений ениях ание ания анию анием аний
    овать ует уют уешь уете ировать ывать ивать ывает ивает енный енная енное енные енных анный
    анная анное анные йте айте ируй уйте
    """.split()
)
_RUSSIAN_ENDING_CHARACTERS = max(map(len, _RUSSIAN_ENDINGS))
_ENGLISH_SUFFIXES = (
    ("ation", 3),
    ("ating", 4),
    ("ment", 4),
    ("able", 4),
    ("ing", 3),
    ("ion", 4),
    ("ed", 3),
    ("er", 4),
    ("ly", 4),
)

_RELATED = (
    "name names called зовут имя звать зовете",
    "live living city town жить живу живет город",
    "old age years лет возраст год",
    "job work profession работа работаю профессия",
    "price cost costs цена цены стоит стоимость",
    "open opens opening hours открыт открыта открывается часы",
    "phone telephone телефон",
    "color colour цвет",
    "favorite favourite любимый",
    "address located адрес находится",
    "delivery shipping доставка",
    "birthday born родился родилась рождения",
)


def words_of(text: str) -> list[str]:
    """Return the words in lower case, `ё` as `е`, without punctuation."""
    return _WORD.findall(text.lower().replace("ё", "е"))


def language_of(text: str, *, default: str) -> Language:
    """Return the language of a question: Russian if half its words, or its first one, are Cyrillic.

    The first word decides for «Переведи: good morning», where the quoted text outweighs the request.
    `default` (any language tag) decides where there is neither Cyrillic nor Latin.
    """
    words = words_of(text)
    cyrillic = [bool(_CYRILLIC.search(word)) for word in words]
    if any(cyrillic) and (cyrillic[0] or sum(cyrillic) * 2 >= len(words)):
        return "ru"
    if any(_LATIN.search(word) for word in words):
        return "en"
    return "ru" if default.lower().startswith("ru") else "en"


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the part of a lower-case word that its other forms share."""
    if len(word) <= 3 or word.isdigit():
        return word
    return _stem_russian(word) if _CYRILLIC.search(word) else _stem_english(word)


def _stem_russian(word: str) -> str:
    if len(word) > 5 and word.endswith(("ся", "сь")):
        word = word[:-2]
    for length in range(min(_RUSSIAN_ENDING_CHARACTERS, len(word) - 3), 0, -1):
        if word[-length:] in _RUSSIAN_ENDINGS:
            return word[:-length]
    return word


def _stem_english(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix, kept in _ENGLISH_SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= kept:
            word = word[: -len(suffix)]
            break
    if word[-1] in "ey" and len(word) > 3:
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


def terms_of(text: str) -> list[str]:
    """Return the search terms of a text in order: stems of all words but the stop words."""
    return [stem(word) for word in words_of(text) if word not in _STOP_WORDS]


WEAK_TERMS = frozenset(
    stem(word)
    for word in """
    work works way thing things time use using make good best new help find look happen happens
    people world different important write great better kind sort big small first last every
    работать работает работа способ вещь время использовать хороший лучший новый помочь найти
    мир люди разный важный написать большой маленький первый последний каждый бывает происходит
    """.split()
)
"""Terms that say little about what a text is about; a match of one of them counts for little."""


@lru_cache(maxsize=1)
def _related_table() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in _RELATED:
        group = tuple(dict.fromkeys(stem(word) for word in line.split()))
        for term in group:
            table[term] = tuple(other for other in group if other != term)
    return table


def related_terms(term: str) -> tuple[str, ...]:
    """Return terms that people use for the same thing, in both languages."""
    return _related_table().get(term, ())
