"""Servers that are not ours: `tests/peers`, installed once per lock file, outside the checkout."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import free_port
from tests.peers.node import find_node

PEERS = Path(__file__).parents[1] / "peers"
INSTALL_SECONDS_MAX = 100.0
START_SECONDS_MAX = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Where the peers are installed, and the node that runs them."""

    node: str
    folder: Path

    @property
    def aimock(self) -> str:
        """The script that is aimock's command."""
        return str(self.folder / "node_modules/@copilotkit/aimock/dist/cli.js")


def installed_peers() -> Peers:
    """Install `tests/peers` unless that was done; skips the test where that cannot be."""
    node = find_node()
    files = [PEERS / name for name in ("package.json", "package-lock.json", ".npmrc")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "potok-tests"
    folder = cache / f"peers-{digest}"
    if folder.exists():
        return Peers(node=node.path, folder=folder)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        for file in files:
            shutil.copy(file, made)
        command = [*node.npm, "ci"]
        ended = subprocess.run(
            command, cwd=made, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX
        )
        if ended.returncode != 0:
            pytest.skip(f"npm could not install tests/peers: {ended.stderr.strip()[-300:]}")
        # In one step, so that no other run finds half of it.
        Path(made).rename(folder)
        Path(made).mkdir()
    return Peers(node=node.path, folder=folder)


class Aimock:
    """One running aimock; `requests` are those that it saw."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def requests(self) -> list[Any]:
        """Return the bodies of all requests so far, as aimock read them."""
        host, port = self.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/_requests HTTP/1.0\r\n\r\n")
        reply = await reader.read()
        writer.close()
        await writer.wait_closed()
        return [entry["body"] for entry in json.loads(reply.partition(b"\r\n\r\n")[2])]


@asynccontextmanager
async def running_aimock(
    folder: Path, fixtures: Sequence[Mapping[str, Any]], *, peers: Peers
) -> AsyncIterator[Aimock]:
    """Run aimock with its fixtures written to `folder`, and end it after the test."""
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(peers.node, peers.aimock, "-p", str(port), "-f", str(folder / "fixtures.json")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            while line := await process.stdout.readline():
                if b"listening" in line:
                    break
        assert line, "aimock ended before it listened"
        # Somebody must read on, or a full pipe would stop it.
        reading = asyncio.create_task(process.stdout.read())
        yield Aimock(f"http://127.0.0.1:{port}")
        process.kill()
        await reading
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
