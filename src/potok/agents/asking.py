"""What a model is sent so that it goes on with an answer that broke off. Pure."""

import msgspec

from potok.events.fold import Message
from potok.events.run_request import JsonObject, RunRequest, text_of
from potok.limits import CONTINUATION_TAIL_CHARACTERS_MAX
from potok.models.contract import Capabilities, ChatRequest
from potok.protocol.continuation import How
from potok.protocol.overlap import find_anchor

__all__ = ["chat_request", "tokens_left"]

_LIMITS = ("max_tokens", "max_completion_tokens")


def chat_request(
    request: RunRequest,
    *,
    model: str,
    capabilities: Capabilities,
    how: How,
    said: Message | None,
    tokens: int = 0,
    principal: str = "",
) -> ChatRequest:
    """Return the request of one call.

    Args:
        said: What the answer holds so far, None for nothing.
        tokens: Pieces of its text, which the request's own limit has paid for.
    """
    messages, parameters = request.messages, request.parameters
    if how in ("prefill", "prompt"):
        text = said.text if said is not None else ""
        parameters = _parameters_after(parameters, tokens, capabilities)
        if how == "prompt":
            messages = _asked_in_words(messages, text)
        else:
            messages = _begun(messages, text.rstrip(), capabilities)
            if capabilities.prefill == "final":
                mark = {"continue_final_message": True, "add_generation_prompt": False}
                parameters = {**parameters, **mark}
    return ChatRequest(
        model=model,
        messages=messages,
        parameters=parameters,
        language=request.language,
        # A copy: the message grows while the model reads it.
        said=_copied(said) if how == "replay" and said is not None else None,
        principal=principal,
    )


def tokens_left(request: RunRequest, *, tokens: int, capabilities: Capabilities) -> int | None:
    """Return how many tokens the answer may still have; None where nothing bounds its text.

    A limit of a model that thinks counts thoughts too, which nobody saw: it stands as it is.
    """
    bounds = [
        bound
        for name in _LIMITS
        if isinstance(bound := request.parameters.get(name), int) and not capabilities.reasoning
    ]
    return max(min(bounds) - tokens, 0) if bounds else None


def _parameters_after(
    parameters: JsonObject, tokens: int, capabilities: Capabilities
) -> JsonObject:
    if capabilities.reasoning:
        return parameters
    return {
        name: max(value - tokens, 1) if name in _LIMITS and isinstance(value, int) else value
        for name, value in parameters.items()
    }


def _begun(
    messages: tuple[JsonObject, ...], text: str, capabilities: Capabilities
) -> tuple[JsonObject, ...]:
    # Trailing blanks are cut by the caller: some models refuse them, none is helped by them.
    mark = {"prefix": True} if capabilities.prefill == "prefix" else {}
    if messages and _is_open_answer(messages[-1]):
        # The caller itself had begun the answer.
        own = messages[-1]
        return (*messages[:-1], {**own, **mark, "content": f"{own['content']}{text}"})
    return (*messages, {"role": "assistant", "content": text, **mark})


def _asked_in_words(messages: tuple[JsonObject, ...], text: str) -> tuple[JsonObject, ...]:
    shown = _tail(text)
    begun = _begun(messages, shown, Capabilities())
    return (*begun, {"role": "user", "content": _wish(shown)})


def _is_open_answer(message: JsonObject) -> bool:
    is_plain = isinstance(message.get("content"), str) and not message.get("tool_calls")
    return message.get("role") == "assistant" and is_plain and bool(text_of(message))


def _tail(text: str) -> str:
    if len(text) <= CONTINUATION_TAIL_CHARACTERS_MAX:
        return text
    tail = text[-CONTINUATION_TAIL_CHARACTERS_MAX:]
    # At the beginning of a word, if there is one.
    return tail.partition(" ")[2] or tail


def _wish(shown: str) -> str:
    anchor = find_anchor(shown)
    is_russian = _is_russian(shown)
    if anchor is None:
        return _WISH_RU if is_russian else _WISH_EN
    return (_ANCHORED_WISH_RU if is_russian else _ANCHORED_WISH_EN).format(anchor=anchor)


def _is_russian(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum("а" <= letter.lower() <= "я" or letter in "ёЁ" for letter in letters) > len(
        letters
    )


def _copied(said: Message) -> Message:
    return msgspec.json.decode(msgspec.json.encode(said), type=Message)


_WISH_EN = (
    "Your answer above was cut off by a technical fault. Write only its rest, from the very"
    " character where it stops, in the same language and form. No greeting, no apology, nothing"
    " of what is already there."
)
_ANCHORED_WISH_EN = (
    "Your answer above was cut off by a technical fault. Write on from where it stops, in the same"
    " language and form. Begin by repeating its last words exactly:\n{anchor}\nand go on from"
    " there. No greeting, no apology, nothing else of what is already there."
)
_WISH_RU = (
    "Твой ответ выше оборвался из-за технического сбоя. Напиши только продолжение, с того самого"
    " знака, на котором он кончается, на том же языке и в том же виде. Без приветствия, без"
    " извинений, без того, что уже написано."
)
_ANCHORED_WISH_RU = (
    "Твой ответ выше оборвался из-за технического сбоя. Продолжи его с того места, где он"
    " кончается, на том же языке и в том же виде. Начни с его последних слов, повторив их в"
    " точности:\n{anchor}\nи пиши дальше. Без приветствия, без извинений, больше ничего из уже"
    " написанного."
)
