"""The provider of models in files: one child process per file in use, one line of calls to each."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Unpack

import msgspec

from potok.clock import Clock, IdSource
from potok.errors import (
    ModelUnusable,
    UpstreamBusy,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamRejected,
)
from potok.events.kinds import Event
from potok.events.run_request import JsonObject
from potok.limits import (
    EMBEDDING_SECONDS_MAX,
    GGUF_BATCH_TOKENS,
    GGUF_EMBEDDING_TOKENS_MAX,
    GGUF_PROBE_EVERY_SECONDS,
    GGUF_PROMPT_CACHE_MIB,
    GGUF_START_SECONDS_MAX,
)
from potok.models.accounts import Account
from potok.models.aiohttp_source import AiohttpSource
from potok.models.contract import Capabilities, ChatRequest, ModelInfo
from potok.models.embeddings import EmbeddingInput, Embeddings, parse_embeddings
from potok.models.gguf.engine import Engine
from potok.models.gguf.files import BrokenFile, GgufFile, Shelf
from potok.models.gguf.options import GgufOptions
from potok.models.gguf.process import INSTALL_LINE, Process, is_installed
from potok.models.gguf.request import asking_for
from potok.models.gguf.source import BASE_URL, GgufSource, ServingChild
from potok.models.line import Line, LineOptions, refuse_begun_answer

__all__ = ["GgufModel", "GgufProvider"]


class GgufProvider:
    """The models of one file, or of all files of a folder.

    Args:
        name: The word before the slash in its models' full names.
        place: The file or folder.
        must_exist: Whether a place where nothing is is a fault; else it has no models yet.
        serving: How its files are served.
        options: See `LineOptions`; the source carries calls to all children.
    """

    def __init__(
        self,
        name: str,
        place: Path,
        *,
        must_exist: bool = True,
        serving: GgufOptions | None = None,
        **options: Unpack[LineOptions],
    ) -> None:
        self._name = name
        self._shelf = Shelf(place)
        self._must_exist = must_exist
        self._serving = serving or GgufOptions()
        self._clock: Clock = options["clock"]
        self._ids: IdSource = options["ids"]
        self._sleep = options.get("sleep", asyncio.sleep)
        self._source = options.get("source") or AiohttpSource()
        self._options: LineOptions = {**options, "calls_max": self._serving.slots}
        self._files: dict[str, GgufFile] = {}
        self._engines: dict[str, Engine] = {}
        self._lines: dict[str, Line] = {}
        self._loading = asyncio.Lock()

    def __repr__(self) -> str:
        return f"GgufProvider({self._name!r}, {str(self._shelf.place)!r})"

    @property
    def name(self) -> str:
        return self._name

    async def look(self) -> tuple[tuple[GgufFile, ...], tuple[BrokenFile, ...]]:
        """Return the files that are there, and those that cannot be served.

        Raises:
            ModelUnusable: there is no such place, or it cannot be read.
        """
        place = self._shelf.place
        if self._must_exist and not await asyncio.to_thread(place.exists):
            raise ModelUnusable(
                f"The provider {self._name} has its models at {place}, where nothing is. Check its"
                " path."
            )
        try:
            files, broken = await asyncio.to_thread(self._shelf.find)
        except OSError as error:
            raise ModelUnusable(
                f"The models at {place} cannot be read: {error.strerror or type(error).__name__}."
            ) from error
        self._files = {file.name: file for file in files}
        return files, broken

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Look at the disk.

        Raises:
            ModelUnusable: see `look`; also for files that nobody can serve, as their library is
                not installed.
        """
        files, _ = await self.look()
        if files and not await asyncio.to_thread(is_installed):
            raise ModelUnusable(_not_installed(f"The models of the provider {self._name}"))
        return tuple(self.info_of(file.name) for file in files)

    def model(self, name: str) -> "GgufModel":
        """Return an adapter; it knows what the last look at the disk told of the file."""
        return GgufModel(self, name)

    async def close(self) -> None:
        """End all children; calls under way end with `UpstreamLost`."""
        await asyncio.gather(*(line.close() for line in self._lines.values()))
        await self._source.close()

    def known_file(self, name: str) -> GgufFile | None:
        """Return the file of that name that the last look found."""
        return self._files.get(name)

    async def line_to(self, name: str) -> Line:
        """Return the line to a file's child; starts nothing.

        Raises:
            UpstreamRefused: there is no such file. ModelUnusable: see `look`.
        """
        file = self._files.get(name)
        if file is None:
            _, broken = await self.look()
            file = self._files.get(name)
            why = next((one.why for one in broken if one.name == name), None)
            if file is None and why is not None:
                raise ModelUnusable(f"The file {name}.gguf of {self._name} {why}.")
        if file is None:
            raise UpstreamRefused(
                f"The provider {self._name} has no model {name[:200]!r} at {self._shelf.place}."
                " `potok models` lists what is there.",
                status=404,
            )
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = self._new_line(file)
        return line

    def _new_line(self, file: GgufFile) -> Line:
        full_name = f"{self._name}/{file.name}"
        engine = Engine(
            full_name,
            start=lambda: self._start(full_name, file),
            idle_seconds=self._serving.idle_seconds,
            clock=self._clock,
            sleep=self._sleep,
        )
        self._engines[file.name] = engine
        options: LineOptions = {
            **self._options,
            "source": GgufSource(full_name, engine, self._source),
        }
        account = Account(name=self._name, base_url=BASE_URL, api_key=None)
        return Line(account, **options)

    async def _start(self, full_name: str, file: GgufFile) -> ServingChild:
        if not await asyncio.to_thread(is_installed):
            raise ModelUnusable(_not_installed(f"The model {full_name}"))
        # One after the other: two loads at once take as long and twice the memory.
        async with self._loading:
            await self._make_room(file.name)
            key = self._ids.run_id()
            order = self._order(file, key)
            process = await Process.start(full_name, order, sleep=self._sleep)
            child = ServingChild(process, self._source, key=key, sleep=self._sleep)
            await self._until_healthy(full_name, child)
        return child

    async def _make_room(self, name: str) -> None:
        loaded = [
            engine
            for other, engine in self._engines.items()
            if other != name and engine.child is not None
        ]
        idle = sorted((one for one in loaded if not one.live), key=lambda one: one.used_at)
        while len(loaded) >= self._serving.loaded_max:
            if not idle:
                raise UpstreamBusy(
                    f"The provider {self._name} has {len(loaded)} models in memory, and all of them"
                    " are answering. Try again later, or raise loaded_max."
                )
            loaded.remove(idle[0])
            await idle.pop(0).unload()

    async def _until_healthy(self, full_name: str, child: ServingChild) -> None:
        deadline = self._clock.monotonic() + GGUF_START_SECONDS_MAX
        try:
            while not await child.is_healthy():
                if not child.is_alive or self._clock.monotonic() > deadline:
                    raise ModelUnusable(
                        f"The process that serves {full_name} started, but does not answer."
                    )
                await self._sleep(GGUF_PROBE_EVERY_SECONDS)
        except BaseException:
            await child.kill()
            raise

    def _order(self, file: GgufFile, key: str) -> JsonObject:
        is_embedding = file.header.use == "embedding"
        tokens = self._context_of(file)
        if is_embedding:
            tokens = min(tokens, GGUF_EMBEDDING_TOKENS_MAX)
        return {
            "path": str(file.path),
            "key": key,
            "context_tokens": tokens,
            "slots": self._serving.slots,
            "threads": self._serving.threads,
            "batch_tokens": tokens if is_embedding else min(GGUF_BATCH_TOKENS, tokens),
            "prompt_cache_mib": GGUF_PROMPT_CACHE_MIB,
            # A model that is made for it says itself how it pools.
            "pools": not is_embedding,
        }

    def _context_of(self, file: GgufFile) -> int:
        asked, trained = self._serving.context_tokens, file.header.context_tokens
        return min(asked, trained) if trained else asked

    def info_of(self, name: str) -> ModelInfo:
        """Return what the last look told of a model."""
        file = self._files.get(name)
        if file is None:
            return ModelInfo(name=name, provider=self._name)
        return ModelInfo(
            name=name,
            provider=self._name,
            created=file.changed_at,
            context_tokens=self._context_of(file),
        )


class GgufModel:
    """One model; holds nothing between calls."""

    def __init__(self, provider: GgufProvider, name: str) -> None:
        self._provider = provider
        self._name = name

    @property
    def info(self) -> ModelInfo:
        return self._provider.info_of(self._name)

    @property
    def capabilities(self) -> Capabilities:
        """What the file's template tells; schemas and calls are llama.cpp's grammar and ours."""
        file = self._provider.known_file(self._name)
        if file is not None and file.header.use == "embedding":
            return Capabilities(continues="no")
        thinks = file is not None and file.header.thinks
        return Capabilities(continues="prefill", tools=True, json_schema=True, reasoning=thinks)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Answer a request; tries again before the first token, never after it.

        Raises:
            PromptTooLong: with the figures. ModelUnusable: the file cannot be served.
            RequestInvalid: tools that cannot be called.
            PeerError: also for a request whose `said` holds parts.
        """
        line = await self._provider.line_to(self._name)
        refuse_begun_answer(self.info, request)
        file = self._provider.known_file(self._name)
        assert file is not None, "a line leads to a file that was found"
        if file.header.use == "embedding":
            raise UpstreamRejected(
                f"The model {self.info.full_name} makes vectors and cannot answer.", status=400
            )
        stream = line.stream(lambda: asking_for(self._name, request, header=file.header))
        try:
            async for batch in stream:
                yield batch
        finally:
            await stream.aclose()

    async def embed(self, inputs: tuple[EmbeddingInput, ...], parameters: JsonObject) -> Embeddings:
        line = await self._provider.line_to(self._name)
        reply = await line.post(
            "/embeddings",
            msgspec.json.encode({"input": inputs, "encoding_format": "float"}),
            model=self._name,
            prompts=tuple(one for one in inputs if isinstance(one, str)),
            seconds=EMBEDDING_SECONDS_MAX,
        )
        made = parse_embeddings(reply, count=len(inputs))
        if made is None:
            raise UpstreamMalformed(
                f"The model {self.info.full_name} gave something that is not {len(inputs)} vectors."
            )
        wanted, length = parameters.get("dimensions"), len(made.vectors[0])
        if wanted not in (None, length):
            raise UpstreamRejected(
                f"The vectors of {self.info.full_name} have {length} numbers; ask for no other"
                " `dimensions`.",
                status=400,
            )
        return made


def _not_installed(what: str) -> str:
    return f"{what} need a library that is not installed. Install it: {INSTALL_LINE}"
