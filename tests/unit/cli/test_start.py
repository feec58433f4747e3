"""How little a command loads: what is not imported cannot make it slow."""

import subprocess
import sys

import pytest

SERVER = {"fastapi", "starlette", "uvicorn", "uvloop", "aiohttp", "sqlite3", "potok.server.app"}


def loaded_by(*modules: str) -> set[str]:
    imports = ", ".join(modules)
    ended = subprocess.run(
        [sys.executable, "-c", f"import {imports}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=15,
    )
    return set(ended.stdout.split())


def test_help_needs_neither_settings_nor_a_server() -> None:
    loaded = loaded_by("potok.cli")

    assert not loaded & (SERVER | {"pydantic_settings", "asyncio", "ssl", "rich"})


@pytest.mark.parametrize("command", ["tail", "cancel", "chat"])
def test_a_client_needs_no_server(command: str) -> None:
    loaded = loaded_by(
        f"potok.cli.{command}", "potok.cli.targets", "potok.cli.conversation", "potok.cli.following"
    )

    assert not loaded & SERVER


def test_a_server_that_calls_nobody_needs_no_http_client() -> None:
    loaded = loaded_by("potok.cli.serving")

    assert "aiohttp" not in loaded
