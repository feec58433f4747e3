"""Node packages that tests run as their users do: installed once from a lock file, then kept."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["NodePeer", "install_peer"]

PEERS = Path(__file__).parent
INSTALL_SECONDS = 100
SESSION_SECONDS = 40


@dataclass(frozen=True)
class NodePeer:
    """One installed folder of packages; its scripts print one JSON value."""

    folder: Path

    async def run(self, script: str, *arguments: str) -> Any:
        """Run a script and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            "node",
            str(self.folder / script),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                printed, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, complaints.decode()
        return json.loads(printed)


def install_peer(name: str, cache: Path) -> NodePeer:
    """Install a folder of `tests/peers` below `cache`, unless its lock file was before.

    Skips the test where Node is missing or the packages cannot be had.
    """
    source = PEERS / name
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed here")
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / f"{name}-{lock}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(source / file, folder / file)
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=INSTALL_SECONDS, env=os.environ
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm could not install the packages of {name} in time")
        if done.returncode:
            pytest.skip(f"npm could not install the packages of {name}: {done.stderr[-300:]!r}")
        (folder / "installed").touch()
    for script in source.glob("*.mjs"):
        shutil.copy(script, folder / script.name)
    return NodePeer(folder)
