"""Models with a known text, which break and go on as a story says, and count what is taken."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from potok.errors import ModelUnknown, PotokError, UpstreamLost, UpstreamRefused, UpstreamStalled
from potok.events.fold import Message
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    TextDelta,
    TextEnd,
    TextStart,
)
from potok.events.run_request import JsonObject, OnDisconnect, RunRequest, text_of
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo

__all__ = [
    "CALLER",
    "FAULTS",
    "MODELS",
    "Call",
    "Continues",
    "Models",
    "Pausable",
    "Story",
    "Upstream",
]

Continues = Literal["replay", "prefill", "prompt", "no"]
MODELS: tuple[Continues, ...] = ("replay", "prefill", "prompt", "no")

_FALLBACK = ["prefill", "prompt"]
_WORDS = ("река", "stream", "лес", "forest", "ночь🌙", "night", "a\u0301", "слово")
_FAULTS: dict[str, Callable[[], PotokError]] = {
    "lost": lambda: UpstreamLost("The line to the model broke."),
    "stalled": lambda: UpstreamStalled("The model said nothing for too long."),
    "failing": lambda: UpstreamRefused("The model failed.", status=503),
}
FAULTS = tuple(_FAULTS)


class Story(msgspec.Struct, frozen=True):
    """What one request's answer is, and how its upstream behaves.

    `faults` are (call, event, kind): in which call, before which of its events, it breaks how.
    `has_fallback` lets two other models stand in.
    """

    number: int
    words: int
    seconds: float = 0.0
    is_thinking: bool = False
    faults: tuple[tuple[int, int, str], ...] = ()
    has_fallback: bool = False

    def request(self, model: str, *, on_disconnect: OnDisconnect = "keep") -> RunRequest:
        """Return the request that this story answers."""
        content = msgspec.json.encode(self).decode()
        return RunRequest(
            model=model,
            messages=({"role": "user", "content": content},),
            on_disconnect=on_disconnect,
            policy={"fallback": _FALLBACK} if self.has_fallback else None,
        )

    def is_lost_with(self, model: str) -> bool:
        """Whether nobody can help if its upstream breaks or its worker dies."""
        at_once = sum(event <= 1 for _, event, _ in self.faults)
        if self.has_fallback:
            # Each is asked once as long as nothing was said.
            return at_once > len(_FALLBACK)
        return at_once > 0 or model == "no"

    @property
    def tokens(self) -> list[str]:
        """The text in pieces. No word comes twice, so that every join can be told from others."""
        words = [
            f"{_WORDS[(self.number + place) % len(_WORDS)]}{self.number}-{place}"
            for place in range(self.words)
        ]
        return [
            piece
            for place, word in enumerate(words)
            for piece in (word, "  " if place % 5 else ".\n")
        ]

    @property
    def text(self) -> str:
        """The uncut text."""
        return "".join(self.tokens)

    def events(self, *, after: int = 0) -> Iterator[Event]:
        """Yield the whole answer, or what follows so many characters of its text."""
        if self.is_thinking and not after:
            yield ReasoningStart(part="r")
            for piece in ("hm ", "well ", "so"):
                yield ReasoningDelta(part="r", text=piece)
            yield ReasoningEnd(part="r")
        yield TextStart(part="t")
        for piece in self.tokens:
            if after < len(piece):
                yield TextDelta(part="t", text=piece[after:])
            after = max(after - len(piece), 0)
        yield TextEnd(part="t")
        yield RunEnd(outcome="finished", finish_reason="stop")

    def rest(self, request: ChatRequest, how: Continues) -> Iterator[Event]:
        """Yield what follows a begun answer, the way a model of that kind goes on."""
        if request.said is not None:
            return _unsaid(self.events(), request.said)
        roles = [message["role"] for message in request.messages]
        if roles[-1] == "assistant":
            # Asked with a begun message, without the blanks at its end.
            return self.events(after=len(text_of(request.messages[-1])))
        if "assistant" in roles and how == "prompt":
            return self.events(after=self._asked_again(request.messages))
        return self.events()

    def _asked_again(self, messages: tuple[JsonObject, ...]) -> int:
        shown, wish = text_of(messages[-2]).rstrip(), text_of(messages[-1])
        # Says the words again that the wish names, or all of it where it names none.
        for length in range(len(shown), 15, -1):
            if shown[-length:] in wish:
                return len(shown) - length
        return 0

    @staticmethod
    def of(messages: tuple[JsonObject, ...]) -> "Story":
        """Return the story that a conversation asks for."""
        return msgspec.json.decode(text_of(messages[0]), type=Story)


def _unsaid(events: Iterator[Event], said: Message) -> Iterator[Event]:
    """Yield the events that a message does not hold yet."""
    left = {part.id: len(part.text) for part in said.parts}
    ended = {part.id for part in said.parts if part.state != "open"}
    for event in events:
        part = getattr(event, "part", "")
        if isinstance(event, TextStart | ReasoningStart) and part in left:
            continue
        if isinstance(event, TextEnd | ReasoningEnd) and part in ended:
            continue
        if isinstance(event, TextDelta | ReasoningDelta) and left.get(part):
            left[part] -= len(event.text)
            assert left[part] >= 0, "events are cut between tokens"
            continue
        yield event


class Pausable(Protocol):
    """Whoever makes a call: a worker of the world."""

    name: str

    async def until_running(self) -> None:
        """Wait while it is paused."""
        ...


CALLER: contextvars.ContextVar[Pausable | None] = contextvars.ContextVar("caller", default=None)


@dataclass(slots=True)
class Call:
    """One call of a model; `taken` counts the events that were taken from it."""

    story: int
    caller: str
    taken: int = 0
    is_live: bool = True


@dataclass(slots=True)
class Upstream:
    """All calls of all models, as the far side sees them."""

    calls: list[Call] = field(default_factory=list)

    def of(self, story: int) -> list[Call]:
        """Return the calls for one story, oldest first."""
        return [call for call in self.calls if call.story == story]


class _Model:
    """Tells stories. Does not imitate: bytes, or an upstream that needs time to notice a close."""

    def __init__(self, upstream: Upstream, how: Continues) -> None:
        self._upstream = upstream
        self._how: Continues = how

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(name=self._how, provider="test")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continues=self._how)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        story, caller = Story.of(request.messages), CALLER.get()
        faults = {
            token: kind
            for call, token, kind in story.faults
            if call == len(self._upstream.of(story.number))
        }
        call = Call(story.number, "" if caller is None else caller.name)
        self._upstream.calls.append(call)
        try:
            for token, event in enumerate(story.rest(request, self._how)):
                await asyncio.sleep(story.seconds)
                if caller is not None:
                    await caller.until_running()
                if token in faults:
                    raise _FAULTS[faults[token]]()
                call.taken += 1
                yield [event]
        finally:
            call.is_live = False


class Models:
    """A catalogue of one model of each kind."""

    def __init__(self, upstream: Upstream) -> None:
        self._models: dict[str, ChatModel] = {how: _Model(upstream, how) for how in MODELS}

    async def resolve(self, name: str | None) -> ChatModel:
        model = self._models.get((name or "").partition("/")[2] or (name or ""))
        if model is None:
            raise ModelUnknown(name or "", known=MODELS)
        return model
