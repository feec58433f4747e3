"""Short ways to ask the demo model and to look at what it composed."""

from potok.events.run_request import JsonObject
from potok.models.contract import ChatRequest
from potok.models.demo.composition import Plan, compose, plan_answer
from potok.models.demo.conversation import Conversation, read_conversation

ROLES = {"s": "system", "u": "user", "a": "assistant"}


def request_of(*turns: str, language: str = "en", **parameters: object) -> ChatRequest:
    """Return a request; `s:`, `u:` or `a:` before a turn says whose it is, else the user's."""
    messages: list[JsonObject] = []
    for turn in turns:
        mark, colon, text = turn.partition(":")
        role = ROLES.get(mark) if colon else None
        messages.append({"role": role or "user", "content": text if role else turn})
    return ChatRequest(
        model="demo", messages=tuple(messages), parameters=dict(parameters), language=language
    )


def read(*turns: str, language: str = "en", **parameters: object) -> Conversation:
    return read_conversation(request_of(*turns, language=language, **parameters))


def plan(*turns: str, language: str = "en") -> Plan:
    return plan_answer(read(*turns, language=language))


def answer(*turns: str, language: str = "en", **parameters: object) -> str:
    return "".join(compose(request_of(*turns, language=language, **parameters)).text)


def thought(*turns: str, language: str = "en", **parameters: object) -> str:
    return "".join(compose(request_of(*turns, language=language, **parameters)).reasoning)
