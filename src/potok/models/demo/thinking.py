"""What the demo model shows as its thinking: the checks it really made, in order."""

from potok.models.demo.language import Language, stem, words_of
from potok.models.demo.phrases import PHRASES
from potok.models.demo.quoting import quoted, shortened
from potok.models.demo.retrieval import Hit, Search

__all__ = ["thinking"]

_QUESTION_CHARACTERS_MAX = 160
_QUOTE_CHARACTERS_MAX = 90

_OPENING = {
    "en": (
        "The question is {} I follow fixed rules; my thinking is the list of checks that I made.",
        "There is no question to think about.",
    ),
    "ru": (
        "Вопрос: {} Я работаю по твёрдым правилам, поэтому мои размышления — это список проверок.",
        "Вопроса нет, думать не о чем.",
    ),
}
_RULES: dict[str, tuple[str, str]] = {
    "empty": ("", ""),
    "continue": (
        "It asks for the rest of my answer, so I compose that answer again and leave out what was"
        " said.",
        "Просят продолжить мой ответ: составлю его заново и пропущу уже сказанное.",
    ),
    "repeat": (
        "It asks me to repeat a text; there is nothing to look up.",
        "Просят повторить текст; искать ничего не нужно.",
    ),
    "count": (
        "It asks me to count; I put the numbers in a row.",
        "Просят посчитать; выпишу числа подряд.",
    ),
    "arithmetic": (
        "It is nothing but a sum; I calculate it exactly, in fractions.",
        "Это просто арифметика; вычислю точно, в дробях.",
    ),
    "list": (
        "It asks for a list that I know or was given; I put each thing on a line.",
        "Просят список, который я знаю или который мне дали; выпишу по строкам.",
    ),
    "talk": (
        "It is small talk or a question about me; my answer to that is fixed.",
        "Это просто беседа или вопрос обо мне; ответ на такое у меня готовый.",
    ),
    "name": (
        "It asks for the name of the one who asks; I look for an introduction in this chat.",
        "Спрашивают, как зовут собеседника; ищу в разговоре, как он представился.",
    ),
    "summary": (
        "It asks for a summary; I count which sentences share most words with the others.",
        "Просят пересказ; считаю, у каких предложений больше всего общих слов с остальными.",
    ),
    "vague": (
        "There are no words in it that I could search by.",
        "В нём нет слов, по которым можно искать.",
    ),
    "facts": (
        "The instructions bring the facts to be told, so I tell them as they stand.",
        "В указаниях есть факты для ответа, поэтому привожу их как есть.",
    ),
    "note": (
        "It tells me something and asks nothing.",
        "Мне что-то сообщают и ни о чём не спрашивают.",
    ),
}
_SEARCHING = {
    "en": "It is nothing that I can count, calculate or repeat, so I search by its words: {}.",
    "ru": "Это нельзя посчитать, вычислить или повторить, поэтому ищу по словам: {}.",
}
_NOTHING_TO_QUOTE = {
    "en": "This conversation holds no statement that I could quote.",
    "ru": "В разговоре нет утверждений, которые можно процитировать.",
}
_NOTHING_SHARED = {
    "en": "; none shares a word with the question.",
    "ru": "; общих слов с вопросом нет.",
}
_CONCLUSIONS: dict[str, tuple[str, str]] = {
    "context": (
        "The conversation itself answers best, so I quote it.",
        "Лучше всего отвечает сам разговор, поэтому цитирую его.",
    ),
    "documents": (
        "The documentation fits, so I quote its first match.",
        "Документация подходит, поэтому привожу первое из найденного.",
    ),
    "unknown": (
        "None of this answers the question, so I say that I do not know.",
        "Ничто из этого не отвечает на вопрос, поэтому скажу, что не знаю.",
    ),
    "create": (
        "It asks for something new, which I cannot make, so I say so.",
        "Просят сочинить новое, а этого я не умею, так и скажу.",
    ),
}


def thinking(
    question: str,
    language: Language,
    rule: str,
    *,
    context: Search | None,
    documents: Search | None,
) -> str:
    """Return the thinking that led to an answer by `rule`; searches that were not made are None."""
    at = 1 if language == "ru" else 0
    opening, no_question = _OPENING[language]
    if not question:
        return no_question
    sentences = [opening.format(_asked(question, language))]
    if rule in _RULES:
        sentences.append(_RULES[rule][at])
    if context or documents:
        sentences.append(_SEARCHING[language].format(_searched(question, context or documents)))
    if context:
        sentences.append(_about_context(context, language))
    if documents:
        sentences.append(_about_documents(documents, language))
    if rule in _CONCLUSIONS:
        sentences.append(_CONCLUSIONS[rule][at])
    return " ".join(sentence for sentence in sentences if sentence)


def _asked(question: str, language: Language) -> str:
    """Return the question in quotation marks, and a full stop unless it has its own end mark."""
    opening, closing = PHRASES[language].quotes
    asked = shortened(question, _QUESTION_CHARACTERS_MAX)
    return f"{opening}{asked}{closing}" + ("" if asked.endswith((".", "!", "?", "…")) else ".")


def _searched(question: str, search: Search | None) -> str:
    """Return the question's own words that stand behind the terms that were searched."""
    terms = search.query.terms if search else ()
    words: dict[str, str] = {}
    for word in words_of(question):
        words.setdefault(stem(word), word)
    return ", ".join(words.get(term, term) for term in terms[:12]) or "—"


def _about_context(search: Search, language: Language) -> str:
    count = search.passages
    if not count:
        return _NOTHING_TO_QUOTE[language]
    if language == "ru":
        noun = _plural(count, "предложение", "предложения", "предложений")
        looked = f"В разговоре просматриваю {count} {noun}"
    else:
        looked = f"In this conversation I look at {count} sentence{'s' if count != 1 else ''}"
    if not search.hits:
        return looked + _NOTHING_SHARED[language]
    best = search.hits[0]
    found = quoted(shortened(best.passage.text, _QUOTE_CHARACTERS_MAX), language)
    share = round(best.plain_coverage * 100)
    if language == "ru":
        return f"{looked}; ближе всего (совпало {share}% вопроса): {found}"
    return f"{looked}; the closest (it matches {share}% of the question) is {found}"


def _about_documents(search: Search, language: Language) -> str:
    count = search.passages
    named = ", ".join(_named(hit, language) for hit in search.hits[:3])
    if language == "ru":
        noun = _plural(count, "отрывок", "отрывка", "отрывков")
        found = f"лучшие: {named}" if named else "ни один не подходит"
        return f"В документации Potok сравниваю {count} {noun}; {found}."
    found = f"the best are: {named}" if named else "none of them fits"
    return f"In Potok's documentation I compare {count} passages; {found}."


def _named(hit: Hit, language: Language) -> str:
    score = f"{hit.score:.1f}"
    if language == "ru":
        return f"«{hit.passage.title}» ({score.replace('.', ',')})"
    return f"“{hit.passage.title}” ({score})"


def _plural(count: int, one: str, few: str, many: str) -> str:
    """Return the Russian form of a noun after a number."""
    if count % 10 == 1 and count % 100 != 11:
        return one
    if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
        return few
    return many
