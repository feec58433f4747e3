"""`potok models add`: a file, an address or an id at a hub becomes a model of this machine."""

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from potok.assembly.settings import GGUF_NAME, HubSettings, Settings, models_folder
from potok.cli.exits import Exit, complain
from potok.clock import SystemIds
from potok.errors import ModelFileRefused, SettingInvalid
from potok.limits import MiB
from potok.models.aiohttp_source import AiohttpSource
from potok.models.gguf.address import HubId, check_name, name_from_url, parse_hub_id
from potok.models.gguf.arrival import Arrival
from potok.models.gguf.download import Download, Progress
from potok.models.gguf.files import SUFFIX, name_of
from potok.models.gguf.process import INSTALL_LINE, is_installed

__all__ = ["add_model"]

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


def add_model(
    settings: Settings, hub: HubSettings, source: str, *, name: str | None, sha256: str | None
) -> Exit:
    """Bring a model in and say how it is used.

    Raises:
        ModelFileRefused, DownloadFailed: see `Download.fetch`.
        SettingInvalid: the checksum is none.
    """
    checksum = _read_checksum(sha256)
    folder = models_folder(settings.data_dir)
    try:
        with _shown_progress(is_plain=settings.is_plain) as tell:
            target = _bring(source, folder, hub, name=name, sha256=checksum, tell=tell)
    except KeyboardInterrupt:
        complain("Stopped. What came is kept: the same command goes on with it.")
        raise
    size = target.stat().st_size / MiB
    print(f"{GGUF_NAME}/{name_of(target)} is there, {size:.1f} MiB, in {target.parent}.")
    if is_installed():
        print(f"Talk to it: potok chat --model {GGUF_NAME}/{name_of(target)}")
    else:
        print(f"What serves it is not installed yet: {INSTALL_LINE}")
    return Exit.DONE


def _bring(
    source: str,
    folder: Path,
    hub: HubSettings,
    *,
    name: str | None,
    sha256: str | None,
    tell: Callable[[Progress], None],
) -> Path:
    path = Path(source).expanduser()
    if path.is_file():
        return _take_file(path, folder, name=name, sha256=sha256, tell=tell)
    if source.startswith(("http://", "https://")):
        named = check_name(name or name_from_url(source))
        return asyncio.run(_fetch(source, folder, hub, name=named, sha256=sha256, tell=tell))
    wanted = parse_hub_id(source)
    if wanted is None or (wanted.file is None and source.endswith(SUFFIX)):
        raise ModelFileRefused(
            f"There is no file {source[:200]!r}, and it is no address and no id at the hub. An"
            " address begins with https://, an id is org/repo:file.gguf."
        )
    return asyncio.run(_fetch(wanted, folder, hub, name=name, sha256=sha256, tell=tell))


def _take_file(
    path: Path,
    folder: Path,
    *,
    name: str | None,
    sha256: str | None,
    tell: Callable[[Progress], None],
) -> Path:
    size = path.stat().st_size

    def advance(done: int) -> None:
        tell(Progress(stage="fetching", done_bytes=done, size_bytes=size))

    with closing(Arrival.open(folder, check_name(name or path.name))) as arrival:
        arrival.take(path, sha256=sha256, advance=advance)
        return arrival.target


async def _fetch(
    source: str | HubId,
    folder: Path,
    hub: HubSettings,
    *,
    name: str | None,
    sha256: str | None,
    tell: Callable[[Progress], None],
) -> Path:
    connections = AiohttpSource(uses_environment_proxies=True)
    try:
        download = Download(
            folder,
            source=connections,
            ids=SystemIds(),
            hub=hub.endpoint,
            token=None if hub.token is None else hub.token.get_secret_value(),
            tell=tell,
        )
        if isinstance(source, HubId):
            file = source.file or await download.find_file(source)
            found = HubId(repository=source.repository, revision=source.revision, file=file)
            source = found.url(hub.endpoint)
        named = check_name(name or name_from_url(source))
        return await download.fetch(source, name=named, sha256=sha256)
    finally:
        await connections.close()


def _read_checksum(text: str | None) -> str | None:
    if text is None:
        return None
    found = _SHA256.fullmatch(text.strip())
    if found is None:
        raise SettingInvalid("--sha256 takes 64 digits from 0 to f.")
    return found[1].lower()


@contextmanager
def _shown_progress(*, is_plain: bool) -> Iterator[Callable[[Progress], None]]:
    if not sys.stderr.isatty():
        yield _tell_notes()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, no_color=is_plain)
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("connecting", total=None)
        notes = _tell_notes()

        def tell(progress: Progress) -> None:
            notes(progress)
            bars.update(
                task,
                description=progress.stage,
                completed=progress.done_bytes,
                total=progress.size_bytes,
            )

        yield tell


def _tell_notes() -> Callable[[Progress], None]:
    """Say why it waits, once for each cause in a row."""
    told = ""

    def tell(progress: Progress) -> None:
        nonlocal told
        if progress.note and progress.note != told:
            complain(f"{progress.note}; trying again.")
        told = progress.note or told

    return tell
