"""The files that `scripts.tidy` looks at, and the words this machine must not leave in them."""

import ast
import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FILE_BYTES_MAX = 500_000  # larger things are made by a script when they are needed


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to repair: the rule it breaks, the file (0: no line) and a sentence."""

    rule: str
    file: str
    sentence: str
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.sentence} [{self.rule}]"


@dataclass(frozen=True)
class Tree:
    """The files of a checkout, by their path under `root`, and words that may not be in them."""

    root: Path
    files: tuple[str, ...]
    tracked: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @cached_property
    def texts(self) -> dict[str, str]:
        """Every file that is text, without those that are too large anyway."""
        found: dict[str, str] = {}
        for file in self.files:
            content = (self.root / file).read_bytes()[:FILE_BYTES_MAX]
            if b"\0" not in content:
                found[file] = content.decode(errors="replace")
        return found

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """Every Python file, parsed; one that does not parse is the linter's business."""
        found: dict[str, ast.Module] = {}
        for file, text in self.texts.items():
            if file.endswith(".py"):
                try:
                    found[file] = ast.parse(text)
                except SyntaxError:
                    continue
        return found


def package_hosts() -> tuple[str, ...]:
    """The hosts from which this machine's pip and npm fetch, as they say themselves."""
    commands = [[sys.executable, "-m", "pip", "config", "list"]]
    if shutil.which("npm"):
        commands.append(["npm", "config", "get", "registry"])
    said = os.environ.get("PIP_INDEX_URL", "")
    for command in commands:
        said += subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60
        ).stdout
    with contextlib.suppress(ImportError, AttributeError):  # without pip there is nothing to ask
        index = importlib.import_module("pip._internal.models.index").PyPI
        said += f" //{index.netloc}/ //{index.file_storage_domain}/"
    hosts = {
        host.rsplit("@", 1)[-1].split(":")[0] for host in re.findall(r"//([^/\s'\"\\]+)", said)
    }
    return tuple(sorted(host for host in hosts if "." in host and not host.startswith("127.")))


def read_tree(root: Path) -> Tree:
    """What git tracks under `root`, and what it would take."""

    def listed(*options: str) -> tuple[str, ...]:
        command = ["git", "ls-files", "-z", *options]
        out = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
        return tuple(sorted({file for file in out.split("\0") if file and (root / file).is_file()}))

    # A folder at the top of the disk, such as /app, is a name that a document may well use.
    home = Path.home()
    places = [str(root)] * (len(root.parts) > 2) + [str(home)] * (len(home.parts) > 1)
    return Tree(root, listed("-co", "--exclude-standard"), listed(), package_hosts(), tuple(places))
