"""Facts that whoever asks has put into the prompt to be told: between `<facts>` and `</facts>`.

A real model puts them into its own words; this one tells them as they stand. So an app that gives
its facts as whole sentences has a sensible answer with either.
"""

import re

from potok.models.demo.conversation import Conversation

__all__ = ["is_told_to_translate", "told_facts"]

_FACTS = re.compile(r"<facts>(.*?)</facts>", re.DOTALL | re.IGNORECASE)
_TRANSLATE = re.compile(r"^\W*(?:translate|перевед\w*)\b", re.IGNORECASE)


def told_facts(conversation: Conversation) -> str | None:
    """Return the facts of the newest instruction that has any; None if none has."""
    for turn in reversed(conversation.turns):
        found = _FACTS.findall(turn.text) if turn.role == "given" else []
        facts = "\n\n".join(fact.strip() for fact in found if fact.strip())
        if facts:
            return facts
    return None


def is_told_to_translate(conversation: Conversation) -> bool:
    """Whether an instruction begins with the wish to translate whatever comes."""
    return any(turn.role == "given" and _TRANSLATE.search(turn.text) for turn in conversation.turns)
