"""Things that need no knowledge: repeat a text, count, make a list."""

import re

from potok.limits import DEMO_ANSWER_CHARACTERS_MAX, DEMO_COUNT_MAX
from potok.models.demo.arithmetic import number_words
from potok.models.demo.language import Language, plain, words_of

__all__ = ["count", "listed", "repeat"]

# repeating

_ASK_TO_SAY = (
    r"(?:(?:please|пожалуйста|can you|could you|just|просто)[ ,]+)*"
    r"(?P<verb>repeat|echo|say|write|print|output|type|reply|respond|answer"
    r"|повтори(?:те)?|скажи(?:те)?|напиши(?:те)?|выведи(?:те)?|напечатай(?:те)?|ответь(?:те)?)"
)
_FILLERS = (
    r"(?:[ ,]+(?:after me|back|to me|with|only|just|exactly|word for word|verbatim|please|the|this"
    r"|following|word|words|text|sentence|phrase|message|line|за мной|вслед за мной|мне|следующее"
    r"|следующий|следующую|дословно|точно|только|ровно|слово|слова|текст|фразу|предложение|строку"
    r"|это|одним словом|пожалуйста|сообщение|вот это|за|мной))*"
)
# After a colon, or in quotes, the text to say is beyond doubt.
_MARKED = re.compile(_ASK_TO_SAY + _FILLERS + r"\s*(?P<mark>:|(?=[\"“«„'`]))\s*", re.IGNORECASE)
_BARE = re.compile(
    r"(?:(?:please|пожалуйста)[ ,]+)?(?:(?:repeat|echo|повтори(?:те)?)(?: after me| за мной)?"
    r"|say(?: exactly| after me| just)?|скажи(?:те)?(?: только| ровно)?"
    r"|(?:reply|respond|answer)(?: only| just| exactly)* with(?: only| just| exactly)*(?: the)?"
    r"(?: single| one)? word|ответь(?:те)?(?: только| ровно)* словом)\s+"
    r"(?!(?:after|the|that|it|what|how|why|who|where|when|if|something|anything|everything|your|my|me"
    r"|again|back|about|all|for|last|please|что|как|кто|где|зачем|почему|когда|сколько|мне|еще|ещё"
    r"|последн\w*|свой|свое|это|все|всё|пожалуйста|снова|раз|нам|честно|можно|за)\b)",
    re.IGNORECASE,
)
_BARE_CHARACTERS_MAX = 200
_TRANSLATION = re.compile(
    r"\b(?:in|into) (?:\w+ese|\w+ish|french|german|italian|russian)\b"
    r"|\b(?:по-\w+ски|на \w+ском|на латыни)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(r"[\s,]*\b(\d{1,5}) (?:times?|раза?)[.!]?\s*$", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“", "'": "'", "`": "`"}


def repeat(message: str) -> str | None:
    """Return the text that a message asks to say, or None if it asks for something else."""
    head = message.lstrip()
    found = _MARKED.match(head)
    if found:
        return _said(head[found.end() :], is_quoted=not found["mark"])
    found = _BARE.match(head)
    if found and len(head) <= _BARE_CHARACTERS_MAX and "?" not in head:
        if _TRANSLATION.search(head):
            return None
        return _said(head[found.end() :], is_quoted=False)
    return None


def _said(rest: str, *, is_quoted: bool) -> str | None:
    rest = rest.strip()
    times = 1
    repeated = _TIMES.search(rest[-40:])
    if repeated:
        times = min(int(repeated[1]), DEMO_COUNT_MAX)
        rest = rest[: max(len(rest) - 40, 0) + repeated.start()]
    closing = _QUOTES.get(rest[:1])
    ending = rest.rstrip(" .!")
    if closing and len(ending) > 1 and ending.endswith(closing):
        rest = ending[1:-1]
    elif is_quoted:
        return None
    if not rest:
        return None
    # One more than fits, so that the answer's own bound sees that something is missing.
    fitting = DEMO_ANSWER_CHARACTERS_MAX // (len(rest) + 1) + 1
    return " ".join([rest] * min(times, fitting))


# counting

_NUMBER = r"(?P<{}>-?\d{{1,9}}|[a-zа-я]+(?:[ -][a-zа-я]+)?)"
_FIRST, _LAST = _NUMBER.format("first"), _NUMBER.format("last")
_COUNTS = (
    re.compile(
        rf"\bcount(?:ing)?\b(?: out loud| aloud| slowly| for me| up| down| backwards?)*"
        rf"(?: (?:from|starting (?:at|from)) {_FIRST})?(?: up| down| back)?"
        rf" (?:to|until|till) {_LAST}"
    ),
    re.compile(
        rf"\b(?:по|со|от)?счита(?:й|йте|ть)\b(?: вслух| мне| медленно| обратно| назад)*"
        rf"(?: (?:от|с) {_FIRST})? до {_LAST}"
    ),
    re.compile(rf"\b(?:numbers|integers) (?:from |between )?{_FIRST} (?:to|through|and) {_LAST}"),
    re.compile(rf"\bчисла (?:от|с) {_FIRST} (?:до|по) {_LAST}"),
    re.compile(rf"\bcount ?down (?:from|of) {_FIRST}(?: to {_LAST})?"),
    re.compile(rf"\bобратный отсчет (?:от|с) {_FIRST}(?: до {_LAST})?"),
)
_BY_LINE = re.compile(
    r"(?:each|every|one)(?: number)?(?: on)?(?: a| its own| each| per)?(?: new| separate)? line"
    r"|(?:нов|отдельн)\w+ строк|в столбик|построчно"
)


def count(question: str) -> tuple[str, bool] | None:
    """Return the numbers that a question asks to count, and whether that is all of them."""
    text = plain(question).replace(",", " ").replace("  ", " ")
    for pattern in _COUNTS:
        found = pattern.search(text)
        if found is None:
            continue
        first, last = found["first"], found["last"]
        is_down = "down from" in found[0] or "обратный" in found[0]
        begin = _whole(first) if first else 1
        end = _whole(last) if last else int(is_down)
        if begin is None or end is None:
            continue
        return _counted(begin, end, separator="\n" if _BY_LINE.search(text) else ", ")
    return None


def _counted(begin: int, end: int, *, separator: str) -> tuple[str, bool]:
    step = 1 if end >= begin else -1
    is_whole = abs(end - begin) < DEMO_COUNT_MAX
    if not is_whole:
        end = begin + step * (DEMO_COUNT_MAX - 1)
    numbers = separator.join(map(str, range(begin, end + step, step)))
    return (numbers if separator == "\n" else f"{numbers}."), is_whole


def _whole(figures: str) -> int | None:
    """Read a whole number in figures or in words; a second word may belong to something else."""
    if figures.lstrip("-").isdigit():
        return int(figures)
    words = [number_words().get(word) for word in words_of(figures)]
    if not words or words[0] is None:
        return None
    if len(words) == 1 or words[1] is None:
        return words[0]
    return words[0] * words[1] if words[1] in (100, 1000) else words[0] + words[1]


# listing

_LIST_VERBS = re.compile(
    r"\b(?:list|name|what are|which are|enumerate|tell me|write(?: down)?|give me|say|recite"
    r"|перечисли(?:те)?|назови(?:те)?|какие(?: есть| бывают)?|напиши(?:те)?|скажи(?:те)?)\b"
)
_KNOWN_LISTS: dict[Language, tuple[tuple[re.Pattern[str], str], ...]] = {
    "en": (
        (
            re.compile(r"\bdays of (?:the |a )?week\b|\bweekdays\b"),
            "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
        ),
        (
            re.compile(r"\bmonths\b"),
            "January, February, March, April, May, June, July, August, September, October,"
            " November, December",
        ),
        (re.compile(r"\bseasons\b"), "spring, summer, autumn, winter"),
        (
            re.compile(r"\bplanets\b"),
            "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune",
        ),
        (
            re.compile(r"\bcolou?rs of (?:the |a )?rainbow\b|\brainbow colou?rs\b"),
            "red, orange, yellow, green, blue, indigo, violet",
        ),
        (re.compile(r"\balphabet\b"), ", ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
    ),
    "ru": (
        (
            re.compile(r"\bдни недели\b"),
            "понедельник, вторник, среда, четверг, пятница, суббота, воскресенье",
        ),
        (
            re.compile(r"\bмесяцы\b"),
            "январь, февраль, март, апрель, май, июнь, июль, август, сентябрь, октябрь, ноябрь,"
            " декабрь",
        ),
        (re.compile(r"\bвремена года\b"), "весна, лето, осень, зима"),
        (
            re.compile(r"\bпланеты\b"),
            "Меркурий, Венера, Земля, Марс, Юпитер, Сатурн, Уран, Нептун",
        ),
        (
            re.compile(r"\bцвета радуги\b"),
            "красный, оранжевый, жёлтый, зелёный, голубой, синий, фиолетовый",
        ),
        (
            re.compile(r"\bалфавит\b"),
            ", ".join("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"),
        ),
    ),
}
_MAKE_LIST = re.compile(
    r"(?:please |пожалуйста,? )?"
    r"(?:(?:make|create|write|build|give me) (?:me )?(?:a |the )?(?:\w+ )?list"
    r"|list|bullet(?:ed)? list|(?:составь|сделай|создай|напиши)(?:те)? (?:мне )?список|список"
    r"|перечисли(?:те)?|оформи(?:те)? списком)"
    r"(?: of| from| with| out| the following| these| из| вот| следующее)*\s*(?P<mark>:?)\s*",
    re.IGNORECASE,
)
_ITEM_SEPARATOR = re.compile(r"\s*(?:[,;\n]+(?:\s*(?:and|и)\s+)?|\s(?:and|и)\s)\s*")
_ITEMS_MAX = 500
_ITEM_CHARACTERS_MAX = 120


def listed(message: str, language: Language) -> str | None:
    """Return a list of things that everybody knows, or of the items that a message gives."""
    text = plain(message) if len(message) <= _BARE_CHARACTERS_MAX else ""
    if _LIST_VERBS.search(text):
        for pattern, items in _KNOWN_LISTS[language]:
            if pattern.search(text):
                named = items.split(", ")
                return "\n".join(f"{at}. {item}" for at, item in enumerate(named, start=1))
    return _items(message)


def _items(message: str) -> str | None:
    found = _MAKE_LIST.match(message)
    if found is None:
        return None
    rest = message[found.end() :].strip().rstrip(".!")
    if len(rest) > _ITEMS_MAX * _ITEM_CHARACTERS_MAX:
        return None
    items = [item.strip(" -*•") for item in _ITEM_SEPARATOR.split(rest) if item.strip(" -*•")]
    # Without a colon, two parts may be a question: "list cats and their habits".
    if not (2 if found["mark"] else 3) <= len(items) <= _ITEMS_MAX:
        return None
    if max(map(len, items)) > _ITEM_CHARACTERS_MAX or "?" in rest:
        return None
    return "\n".join(f"- {item}" for item in items)
