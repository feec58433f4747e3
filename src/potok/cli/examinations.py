"""The checks of `potok doctor`: each looks at one thing, changes nothing and says what to do."""

import asyncio
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress

from potok import __version__, limits
from potok.assembly.build import connect_provider
from potok.assembly.local_models import connect_place, used_places
from potok.assembly.settings import ProviderAccount, Settings
from potok.cli.client import Server
from potok.cli.doctor_finding import Finding
from potok.cli.pulse import measure_pulse
from potok.clock import SystemClock, SystemIds
from potok.errors import AddressTaken, PotokError, SettingInvalid
from potok.server.listening import listen, next_free_port
from potok.telemetry import SilentObserver

__all__ = [
    "examine_data_folder",
    "examine_port",
    "examine_providers",
    "examine_python",
    "examine_server",
    "examine_settings",
]

_PYTHON_MIN = (3, 11)
_GIB = 1024 * limits.MiB


def examine_python() -> Finding:
    """Look at the versions of Python and Potok."""
    version = platform.python_version_tuple()
    detail = f"Python {platform.python_version()}, Potok {__version__}"
    if (int(version[0]), int(version[1])) < _PYTHON_MIN:
        return Finding("python", "problem", detail, "Install Python 3.11 or newer.")
    return Finding("python", "ok", detail)


def examine_settings(settings: Settings) -> Finding:
    """Say where the settings came from and which keys are there, never what they are."""
    file = f"from {settings.config_path}" if settings.config_path else "no settings file"
    keys = {"POTOK_API_KEY": settings.server.api_key is not None, "OPENAI_API_KEY": False}
    for account in settings.providers:
        if account.api_key is not None or account.kind != "ollama":
            keys[account.key_variable] = account.api_key is not None
    told = ", ".join(f"{name} is {'set' if is_set else 'not set'}" for name, is_set in keys.items())
    return Finding("settings", "ok", f"{file}; {told}")


def examine_data_folder(settings: Settings) -> Iterator[Finding]:
    """Look at the data folder: rights and free space."""
    folder = settings.data_dir
    there = next(path for path in (folder, *folder.parents) if path.exists())
    choose = "Make it writable for this user, or set POTOK_DATA_DIR to another folder."
    try:
        # Rights alone do not tell: a disk may be mounted for reading only.
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        detail = f"{there} cannot be written: {error.strerror}"
        yield Finding("data folder", "problem", detail, choose)
        return
    made = "" if there == folder else ", which the first start makes"
    free = shutil.disk_usage(there).free
    detail = f"{folder}{made}; {free / _GIB:.1f} GiB free"
    more_space = "Free some space, or set POTOK_DATA_DIR to a folder on another disk."
    if free < limits.DISK_FREE_BYTES_MIN:
        yield Finding("data folder", "problem", detail, more_space)
    elif free < limits.DISK_FREE_BYTES_WARN:
        yield Finding("data folder", "warning", detail, more_space)
    else:
        yield Finding("data folder", "ok", detail)


def examine_port(settings: Settings) -> Finding:
    """Try to listen where `potok serve` would."""
    host, port = settings.server.host, settings.server.port
    try:
        listen(host, port).close()
    except AddressTaken as error:
        free = next_free_port(host, port)
        instead = f" Or use a free one: potok serve --port {free}" if free is not None else ""
        what = error.message.partition(". ")[0]
        return Finding("port", "problem", what, f"Stop that process.{instead}")
    except SettingInvalid as error:
        return Finding("port", "problem", error.message)
    return Finding("port", "ok", f"{host}:{port} is free")


def examine_providers(settings: Settings) -> Iterator[Finding]:
    """Ask each provider for its models."""
    found = [*_examine_guesses(settings), *_examine_places(settings)]
    yield from found
    if not settings.providers and not found:
        yield Finding(
            "providers",
            "warning",
            "only the built-in demo model, which is no LLM",
            "Set OPENAI_API_KEY, or OPENAI_BASE_URL for another provider that speaks its API; an"
            " Ollama on this machine is found by itself.",
        )
        return
    for account in settings.providers:
        try:
            count = asyncio.run(_count_models(account, settings))
        except PotokError as error:
            yield Finding("provider", "problem", error.message)
        else:
            address = account.base_url.partition("?")[0]
            yield Finding("provider", "ok", f"{account.name} at {address}, models: {count}")


def _examine_guesses(settings: Settings) -> Iterator[Finding]:
    # Nobody asked for them: one that is not there is not worth a word.
    for account in settings.guesses:
        with suppress(PotokError):
            count = asyncio.run(_count_models(account, settings))
            detail = f"{account.name} found at {account.base_url}, models: {count}"
            yield Finding("provider", "ok", detail)


def _examine_places(settings: Settings) -> Iterator[Finding]:
    for place in used_places(settings):
        provider = connect_place(
            place,
            settings.upstream,
            clock=SystemClock(),
            ids=SystemIds(),
            observer=SilentObserver(),
        )
        try:
            count = len(asyncio.run(provider.list_models()))
        except PotokError as error:
            yield Finding("provider", "problem", error.message)
        else:
            yield Finding("provider", "ok", f"{place.name} at {place.path}, models: {count}")


async def _count_models(account: ProviderAccount, settings: Settings) -> int:
    provider = connect_provider(
        account,
        settings.upstream,
        clock=SystemClock(),
        ids=SystemIds(),
        observer=SilentObserver(),
        is_guess=account in settings.guesses,
    )
    try:
        return len(await provider.list_models())
    finally:
        await provider.close()


def examine_server(server: Server) -> Iterator[Finding]:
    """Look at a running server: its version, whether our key opens it, whether streams stream."""
    try:
        health = server.get("/healthz", reply_seconds=limits.CLI_REPLY_SECONDS)
        version, live = str(health["version"]), int(health["live_runs"])
    except PotokError as error:
        yield Finding("server", "problem", error.message)
        return
    except (KeyError, TypeError, ValueError):
        yield Finding("server", "problem", f"{server.url} answers, but is no Potok server")
        return
    detail = f"Potok {version} runs at {server.url}, live runs: {live}"
    if version == __version__:
        yield Finding("server", "ok", detail)
    else:
        restart = f"This command is Potok {__version__}: restart the server, or use its version."
        yield Finding("server", "warning", detail, restart)
    try:
        models = server.get("/v1/models")["data"]
    except PotokError as error:
        yield Finding("access", "problem", error.message)
        return
    yield Finding("access", "ok", f"this user may use it, models: {len(models)}")
    yield _examine_streaming(server)


def _examine_streaming(server: Server) -> Finding:
    try:
        pulse = measure_pulse(server, clock=SystemClock(), ids=SystemIds())
    except PotokError as error:
        return Finding("streaming", "problem", error.message)
    first = f"the first event after {pulse.first_seconds * 1000:.0f} ms"
    if pulse.is_smooth:
        return Finding(
            "streaming", "ok", f"{pulse.events} events came one after the other, {first}"
        )
    return Finding(
        "streaming",
        "warning",
        f"{pulse.events} events came all at once, {first}",
        "If a proxy stands in between, switch its buffering of responses off.",
    )
