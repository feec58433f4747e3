"""Bundled apps are built as a user's are: on what is promised, and light until they run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

APPS = Path(__file__).parents[2] / "src" / "potok_apps"
MODULES = sorted(APPS.rglob("*.py"))
# What docs/apps.md promises to apps beside their contract: nouns and bytes, for own dialects.
PROMISED = (
    "potok.apps.contract",
    "potok.dialects.",
    "potok.events.envelope",
    "potok.events.kinds",
    "potok.wire.sse",
)


def imports_of(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.append(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(APPS)))
def test_an_app_imports_only_what_is_promised(path: Path) -> None:
    own = [name for name in imports_of(path) if name.split(".")[0] == "potok"]

    assert [name for name in own if not name.startswith(PROMISED)] == []


@pytest.mark.parametrize("app", ["coding", "jewelry", "translator"])
def test_its_description_loads_nothing_heavy(app: str) -> None:
    code = f"import sys, potok_apps.{app}; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"langgraph", "langchain_core", "sqlalchemy", "alembic", "aiohttp"}
