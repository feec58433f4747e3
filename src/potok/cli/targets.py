"""What every command needs first: the settings, and the server they point to."""

from pathlib import Path

from potok.assembly.settings import Settings, load_settings
from potok.cli.client import Server
from potok.errors import ServerRefused, ServerUnreachable
from potok.limits import CLI_PROBE_SECONDS

__all__ = ["is_potok", "server_of", "settings_of"]

# A server that listens on every address of its machine is reached on this one.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def settings_of(config: Path | None = None, **options: str | None) -> Settings:
    """Read the settings; an option such as `data_dir` takes the place of POTOK_DATA_DIR.

    Raises:
        SettingInvalid: one of them cannot be used.
    """
    given = {f"POTOK_{name.upper()}": text for name, text in options.items() if text is not None}
    return load_settings(config_path=config, overrides=given)


def server_of(settings: Settings, url: str | None) -> Server:
    """Return the server at `url`, else the one that `potok serve` starts with these settings."""
    key = settings.server.api_key
    if url is None:
        host = _EVERYWHERE.get(settings.server.host, settings.server.host)
        place = f"[{host}]" if ":" in host else host
        url = f"http://{place}:{settings.server.port}"
    return Server(url, api_key=None if key is None else key.get_secret_value())


def is_potok(server: Server) -> bool:
    """Whether a Potok server answers there."""
    try:
        return "live_runs" in server.get("/healthz", reply_seconds=CLI_PROBE_SECONDS)
    except (ServerUnreachable, ServerRefused):
        return False
