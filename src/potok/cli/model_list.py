"""What `potok models` shows: every model, its provider, and why one cannot be used."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import msgspec

from potok.assembly.build import connect_provider
from potok.assembly.local_models import connect_place, used_places
from potok.assembly.settings import GgufPlace, ProviderAccount, Settings, models_folder
from potok.clock import SystemClock, SystemIds
from potok.errors import PotokError
from potok.limits import MiB
from potok.models.capabilities import can_chat
from potok.models.contract import ChatModel, Provider
from potok.models.demo import DemoProvider
from potok.models.embeddings import Embedder
from potok.models.gguf.process import INSTALL_LINE, is_installed
from potok.telemetry import SilentObserver

__all__ = ["Row", "as_json", "as_lines", "gather"]

_HEADINGS = ("MODEL", "PROVIDER", "KIND", "SIZE", "CAN", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model. `why` tells why it is not available, and `name` is empty where none is known."""

    name: str
    provider: str
    kind: str
    size_bytes: int | None = None
    context_tokens: int | None = None
    capabilities: tuple[str, ...] = ()
    available: bool = True
    why: str | None = None


async def gather(settings: Settings) -> list[Row]:
    """Ask all providers at once, and look at the files of this machine."""
    asked = await asyncio.gather(
        *(_rows_of_account(account, settings) for account in settings.providers),
        *(_rows_of_place(place, settings) for place in used_places(settings)),
        *(_rows_of_account(account, settings) for account in settings.guesses),
    )
    demo = DemoProvider(SystemClock(), tokens_per_second=0)
    return [row for rows in asked for row in rows] + await _rows_of(demo, "demo")


def as_json(rows: Sequence[Row], settings: Settings) -> str:
    """Return the list for programs."""
    report = {
        "folder": str(models_folder(settings.data_dir)),
        "models": [asdict(row) for row in rows],
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the list for people, in columns."""
    table = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEADINGS) - 1)]
    for line in table:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        yield "  ".join([*cells, line[-1]]).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    size = "-" if row.size_bytes is None else _shown(row.size_bytes)
    can = ", ".join(row.capabilities) or "-"
    return (row.name or "-", row.provider, row.kind, size, can, row.why or "")


def _shown(size_bytes: int) -> str:
    size = size_bytes / MiB
    return f"{size / 1024:.1f} GiB" if size >= 1024 else f"{size:.1f} MiB"


async def _rows_of_account(account: ProviderAccount, settings: Settings) -> list[Row]:
    is_guess = account in settings.guesses
    provider = connect_provider(
        account,
        settings.upstream,
        clock=SystemClock(),
        ids=SystemIds(),
        observer=SilentObserver(),
        is_guess=is_guess,
    )
    try:
        return await _rows_of(provider, account.kind)
    except PotokError as error:
        # Nobody asked for a provider that was only guessed.
        return [] if is_guess else [_missing(account.name, account.kind, error)]
    finally:
        await provider.close()


async def _rows_of_place(place: GgufPlace, settings: Settings) -> list[Row]:
    provider = connect_place(
        place,
        settings.upstream,
        clock=SystemClock(),
        ids=SystemIds(),
        observer=SilentObserver(),
    )
    try:
        files, broken = await provider.look()
    except PotokError as error:
        return [_missing(place.name, "gguf", error)]
    finally:
        await provider.close()
    is_there = await asyncio.to_thread(is_installed)
    why = None if is_there else f"install what serves it: {INSTALL_LINE}"
    rows = [
        Row(
            name=file.name,
            provider=place.name,
            kind="gguf",
            size_bytes=file.size_bytes,
            context_tokens=provider.info_of(file.name).context_tokens,
            capabilities=_words_of(
                provider.model(file.name), chats=file.header.use == "chat", embeds=True
            ),
            available=is_there,
            why=why,
        )
        for file in files
    ]
    return rows + [
        Row(
            name=file.name,
            provider=place.name,
            kind="gguf",
            size_bytes=file.size_bytes,
            available=False,
            why=f"the file {file.why}",
        )
        for file in broken
    ]


async def _rows_of(provider: Provider, kind: str) -> list[Row]:
    rows = []
    for info in await provider.list_models():
        model = provider.model(info.name)
        chats = can_chat(info.name)
        embeds = isinstance(model, Embedder) and (kind == "demo" or "embed" in info.name)
        rows.append(
            Row(
                name=info.name,
                provider=provider.name,
                kind=kind,
                context_tokens=info.context_tokens,
                capabilities=_words_of(model, chats=chats, embeds=embeds),
            )
        )
    return rows


def _words_of(model: ChatModel, *, chats: bool, embeds: bool) -> tuple[str, ...]:
    known = model.capabilities
    facts = {
        "chat": chats,
        "tools": chats and known.tools,
        "json": chats and known.json_schema,
        "thinking": chats and known.reasoning,
        "embeddings": embeds,
    }
    return tuple(word for word, is_true in facts.items() if is_true)


def _missing(provider: str, kind: str, error: PotokError) -> Row:
    return Row(name="", provider=provider, kind=kind, available=False, why=error.message)
