"""Makes JSON of what a model says that cannot be held to it: ask in words, check, mend once.

What the model says is held back until it was checked, so that readers see only what fits. Its
thinking is shown as it comes.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec

from potok.agents.holding import Held, as_choice
from potok.agents.json_check import find_json
from potok.agents.stitching import Stitch
from potok.errors import AnswerUnfit
from potok.events.json_schema import JsonWish
from potok.events.kinds import Event, Status
from potok.events.run_request import JsonObject
from potok.models.contract import Capabilities, ChatModel, ChatRequest

__all__ = ["JSON_REPAIR", "Shaping", "is_kept_to"]

JSON_REPAIR = "json_repair"
"""The code of the status that says that a model is asked to mend its answer."""


def is_kept_to(wish: JsonWish, capabilities: Capabilities) -> bool:
    """Whether a model's provider sees to it that its answers are as wished."""
    return capabilities.json_schema or (wish.schema is None and capabilities.json_object)


class Shaping:
    """One answer of one model, shown once it is the JSON that was asked for.

    Args:
        on_repair: Called before the model is asked again.

    Attributes:
        held: What the call under way has said and nobody has seen.
    """

    def __init__(
        self,
        model: ChatModel,
        wish: JsonWish,
        *,
        capabilities: Capabilities,
        on_repair: Callable[[], None],
    ) -> None:
        self._model = model
        self._wish = wish
        self._capabilities = capabilities
        self._on_repair = on_repair
        self.held = Held()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Answer a request as a model does; counts of each call come as they are told.

        Raises:
            AnswerUnfit: what the model says does not fit, nor what it makes of it when asked.
            PeerError, UpstreamBusy: as the model.
        """
        asked = _asked_in_words(request, self._wish, self._capabilities)
        first = self.held
        async with aclosing(self._collect(asked, first)) as batches:
            async for told in batches:
                yield told
        faults = await self._settle(first, choices=_choices(request))
        if faults:
            yield [*_counts(first), _status(request.language)]
            for choice, (text, why) in faults.items():
                wishes = _repair(asked, text, why)
                async with aclosing(self._mend(wishes, first, choice)) as batches:
                    async for told in batches:
                        yield told
        counts = [] if faults else _counts(first)
        assert first.ending is not None, "an answer has an end"
        yield [*first.release(), *counts, first.ending]

    async def _mend(
        self, request: ChatRequest, first: Held, choice: int
    ) -> AsyncGenerator[list[Event], None]:
        self._on_repair()
        second = self.held = Held()
        # Its parts may not have the names of those that readers know.
        stitch = Stitch(ordinal=f"json{choice}", taken=None, open_text=None, join=None)
        async with aclosing(self._collect(request, second)) as batches:
            async for told in batches:
                yield stitch.take(as_choice(told, choice))
        faults = await self._settle(second)
        if faults:
            why = " ".join(faults[0][1])
            raise AnswerUnfit(self._model.info.full_name, why=why)
        counts = _counts(second)
        if counts:
            yield counts
        reason = second.ending.finish_reason if second.ending is not None else None
        mended = stitch.take(as_choice(second.release(), choice))
        first.replace(choice, mended, reason=reason)
        self.held = first

    async def _collect(self, request: ChatRequest, held: Held) -> AsyncGenerator[list[Event], None]:
        async with aclosing(self._model.stream(request)) as batches:
            async for events in batches:
                told = held.take(events)
                if held.is_too_long:
                    raise AnswerUnfit(
                        self._model.info.full_name, why="It is longer than JSON answers may be."
                    )
                if told:
                    yield told

    async def _settle(
        self, held: Held, *, choices: int = 1
    ) -> dict[int, tuple[str, tuple[str, ...]]]:
        """Cut what fits down to its JSON; return texts and faults of what does not, by choice."""
        unfit: dict[int, tuple[str, tuple[str, ...]]] = {}
        for choice, text in held.texts(choices=choices).items():
            found, faults = await find_json(self._wish, text)
            if faults:
                unfit[choice] = (text, faults)
            else:
                held.say(choice, found)
        return unfit


def _counts(held: Held) -> list[Event]:
    return [] if held.usage is None else [held.usage]


def _choices(request: ChatRequest) -> int:
    asked = request.parameters.get("n")
    return asked if isinstance(asked, int) and asked > 0 else 1


def _status(language: str) -> Event:
    is_russian = language.partition("-")[0] == "ru"
    return Status(text=_MENDING_RU if is_russian else _MENDING_EN, code=JSON_REPAIR)


def _asked_in_words(
    request: ChatRequest, wish: JsonWish, capabilities: Capabilities
) -> ChatRequest:
    parameters = {k: v for k, v in request.parameters.items() if k != "response_format"}
    if capabilities.json_object:
        parameters["response_format"] = {"type": "json_object"}
    words = _WISH_OBJECT
    if wish.schema is not None:
        words = _WISH_SCHEMA.format(schema=msgspec.json.encode(wish.schema).decode())
    return msgspec.structs.replace(
        request, parameters=parameters, messages=_instructed(request.messages, words)
    )


def _instructed(messages: tuple[JsonObject, ...], words: str) -> tuple[JsonObject, ...]:
    # Some models know no second system message, or none but the first.
    head = messages[0] if messages else {}
    if head.get("role") in ("system", "developer") and isinstance(head.get("content"), str):
        return ({**head, "content": f"{head['content']}\n\n{words}"}, *messages[1:])
    return ({"role": "system", "content": words}, *messages)


def _repair(asked: ChatRequest, text: str, faults: tuple[str, ...]) -> ChatRequest:
    listed = "\n".join(f"- {fault}" for fault in faults)
    # A message without text is refused by many.
    said = {"role": "assistant", "content": text or "(nothing)"}
    wish = {"role": "user", "content": _MEND.format(faults=listed)}
    parameters = {name: value for name, value in asked.parameters.items() if name != "n"}
    if parameters.get("tools"):
        parameters["tool_choice"] = "none"
    return msgspec.structs.replace(
        asked, messages=(*asked.messages, said, wish), parameters=parameters
    )


_MENDING_EN = "The answer is not the JSON that was asked for. Asking the model to mend it..."
_MENDING_RU = "Ответ — не тот JSON, о котором просили. Прошу модель его исправить..."
_WISH_OBJECT = (
    "Answer with one valid JSON object and nothing else: no words before or after it, no code"
    " fence."
)
_WISH_SCHEMA = (
    "Answer with JSON that is valid against the JSON schema below, and with nothing else: no words"
    " before or after it, no code fence. Write its texts in the language of the conversation.\n"
    "{schema}"
)
_MEND = (
    "Your answer above is not the JSON that was asked for:\n{faults}\nSend it again with these"
    " faults mended, as JSON alone: no words before or after it, no code fence."
)
