"""The demo provider and its one model: paces what `composition` has composed."""

import zlib
from asyncio import sleep
from collections.abc import AsyncGenerator, Iterator

from potok.clock import Clock
from potok.errors import UpstreamLost, UpstreamRefused, UpstreamRejected
from potok.events.kinds import Event, ReasoningDelta, TextDelta
from potok.events.run_request import JsonObject
from potok.limits import (
    DEMO_BATCH_PIECES_MAX,
    DEMO_CLOSE_CHECK_SECONDS,
    DEMO_EMBEDDED_CHARACTERS_MAX,
    DEMO_EMBEDDING_DIMENSIONS,
    DEMO_TICK_SECONDS,
)
from potok.models.contract import Capabilities, ChatRequest, ModelInfo
from potok.models.embeddings import EmbeddingInput, Embeddings

__all__ = ["DemoModel", "DemoProvider"]

_NAME = "demo"


class DemoProvider:
    """Serves one model that needs no key and no network.

    `tokens_per_second` is the pace of its answers; 0 means as fast as they are read.
    """

    def __init__(self, clock: Clock, *, tokens_per_second: float = 40.0) -> None:
        self._clock = clock
        self._tokens_per_second = tokens_per_second
        self._is_closed = False

    @property
    def name(self) -> str:
        return _NAME

    async def list_models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo(name=_NAME, provider=_NAME),)

    def model(self, name: str) -> "DemoModel":
        return DemoModel(self, name)

    async def close(self) -> None:
        self._is_closed = True

    async def _wait(self, seconds: float) -> None:
        """Sleep, but notice within a moment that the provider was closed."""
        while seconds > 0:
            await sleep(min(seconds, DEMO_CLOSE_CHECK_SECONDS))
            self._check_open()
            seconds -= DEMO_CLOSE_CHECK_SECONDS

    def _check_open(self) -> None:
        if self._is_closed:
            raise UpstreamLost("The demo provider was closed. Send the request again.")


class DemoModel:
    """Answers from its prompt and from Potok's documentation; the same request, the same answer."""

    def __init__(self, provider: DemoProvider, name: str) -> None:
        self._provider = provider
        self._info = ModelInfo(name=name, provider=_NAME)

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continues="replay", tools=True, json_schema=True, reasoning=True)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Answer a request; see the contract.

        Raises:
            UpstreamRefused: the provider has no model of this name.
            UpstreamMalformed: `request.said` is not the beginning of this answer.
            UpstreamLost: the provider was closed.
        """
        # The rules and documents take a while to load, which a server that never uses them saves.
        from potok.models.demo.answering import answer_events

        provider = self._provider
        provider._check_open()
        self._check_name()
        async for batch in self._paced(answer_events(request)):
            yield batch

    async def embed(self, inputs: tuple[EmbeddingInput, ...], parameters: JsonObject) -> Embeddings:
        """Return vectors that compare letters; see the contract of embeddings.

        Raises:
            UpstreamRefused: another model, or tokens in place of texts.
        """
        from potok.models.demo.pieces import count_pieces
        from potok.models.demo.vectors import embed_text

        self._check_name()
        dimensions = parameters.get("dimensions") or DEMO_EMBEDDING_DIMENSIONS
        vectors, tokens = [], 0
        for one in inputs:
            if not isinstance(one, str):
                raise UpstreamRejected(
                    "The demo model knows no tokens; send texts as `input`.", status=400
                )
            vectors.append(embed_text(one, dimensions=dimensions))
            tokens += count_pieces(one, exact_characters=DEMO_EMBEDDED_CHARACTERS_MAX)
            # A request may hold thousands of texts, and other answers wait in the same loop.
            await sleep(0)
        return Embeddings(tuple(vectors), tokens)

    def _check_name(self) -> None:
        if self._info.name != _NAME:
            raise UpstreamRefused(
                f"The demo provider has one model, {_NAME!r}; ask for that one.", status=404
            )

    async def _paced(self, events: Iterator[Event]) -> AsyncGenerator[list[Event], None]:
        """Yield events in batches, each piece at its time counted from the first one.

        Deadlines are absolute, so that a late piece delays no other. A sleep always ends with a
        piece, whatever the clock says.
        """
        provider = self._provider
        rate = provider._tokens_per_second
        now = started = provider._clock.monotonic()
        batch: list[Event] = []
        pieces = 0
        for event in events:
            is_piece = isinstance(event, TextDelta | ReasoningDelta)
            if rate > 0 and isinstance(event, TextDelta | ReasoningDelta):
                deadline = started + _place(pieces, event) / rate
                if deadline > now and pieces:
                    if batch:
                        yield batch
                        batch = []
                    now = provider._clock.monotonic()
                    if deadline > now:
                        await provider._wait(max(deadline - now, DEMO_TICK_SECONDS))
                        now = provider._clock.monotonic()
            pieces += is_piece
            batch.append(event)
            if len(batch) >= DEMO_BATCH_PIECES_MAX:
                yield batch
                batch = []
                await sleep(0)
                provider._check_open()
        if batch:
            yield batch


def _place(number: int, piece: TextDelta | ReasoningDelta) -> float:
    """Return when a piece is due, in pieces since the first: late by up to half a piece.

    The lateness comes from the text, so that the pace is uneven as a model's is, and never random.
    """
    return number + (zlib.crc32(piece.text.encode()) & 0xFF) / 512
