"""Compares the reference pages with the code: error codes, settings, routes and commands."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

from scripts.tidy_tree import Fault, Tree


def find_undocumented(tree: Tree) -> Iterator[Fault]:
    """Error codes, settings, routes and commands that the reference pages do not name."""
    pages: list[tuple[str, str, Callable[[Tree], set[str]]]] = [
        ("src/potok/errors.py", "docs/reference/errors.md", collect_codes),
        ("src/potok/assembly/settings.py", "docs/reference/settings.md", collect_settings),
        ("src/potok/server/app.py", "docs/reference/routes.md", collect_routes),
        ("src/potok/cli/__init__.py", "docs/reference/cli.md", collect_commands),
    ]
    for source, page, collect in pages:
        if source not in tree.modules:
            continue
        try:
            wanted = collect(tree)
        except Exception as error:  # any fault of the module under the lens is its author's to read
            yield Fault(
                "docs", source, f"cannot be read for {page}: {type(error).__name__}: {error}"
            )
            continue
        text = tree.texts.get(page, "")
        missing = [name for name in sorted(wanted) if not is_named(name, text)]
        if missing:
            yield Fault("docs", page, f"does not name {', '.join(missing)} (of {source})")


def is_named(name: str, text: str) -> bool:
    """Whether a page has the name by itself, not as a part of a longer one."""
    return re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", text) is not None


def collect_codes(tree: Tree) -> set[str]:
    """The `code` of every error class, assigned alone or in a row (`code, retryable = ...`)."""
    codes: set[str] = set()
    for node in ast.walk(tree.modules["src/potok/errors.py"]):
        match node:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                codes.add(code)
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                codes.add(code)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for target, value in zip(names, values, strict=False):
                    match target, value:
                        case ast.Name(id="code"), ast.Constant(value=str(code)):
                            codes.add(code)
    return codes - {""}


def collect_settings(tree: Tree) -> set[str]:
    """The environment name of each setting, and the keys of the tables in a settings file."""
    from pydantic import AliasChoices, BaseModel
    from pydantic_settings import BaseSettings

    module = importlib.import_module("potok.assembly.settings")
    found: set[str] = set()
    for group in vars(module).values():
        if not (
            inspect.isclass(group)
            and issubclass(group, BaseModel)
            and group.__module__ == module.__name__
        ):
            continue
        prefix = str(group.model_config.get("env_prefix", ""))
        for name, field in group.model_fields.items():
            alias = field.validation_alias
            if isinstance(alias, AliasChoices):
                found.update(choice for choice in alias.choices if isinstance(choice, str))
            elif isinstance(alias, str):
                found.add(alias)
            else:
                found.add((prefix + name).upper() if issubclass(group, BaseSettings) else name)
    if not found:
        raise LookupError("no pydantic class with fields is defined there")
    return found


def collect_routes(tree: Tree) -> set[str]:
    """Every path of the application, WebSockets too; it is built around stand-ins for its parts."""
    build_app = importlib.import_module("potok.server.app").build_app
    parts = [
        part
        for part in inspect.signature(build_app).parameters.values()
        if part.default is part.empty
    ]
    positional = [MagicMock() for part in parts if part.kind is not part.KEYWORD_ONLY]
    app = build_app(
        *positional, **{part.name: MagicMock() for part in parts if part.kind is part.KEYWORD_ONLY}
    )
    found = set(app.openapi()["paths"])

    def walk(routes: list[Any], prefix: str) -> None:
        for route in routes:
            path = prefix + getattr(route, "path", "")
            children = getattr(route, "routes", None)
            if isinstance(children, list) and children:
                walk(children, path)
            elif path:
                found.add(path)

    walk(app.routes, "")
    return found - {"/docs/oauth2-redirect"}


def collect_commands(tree: Tree) -> set[str]:
    """`potok <command>` for each command of `potok.cli.app`, with those of its groups."""
    typer_main = importlib.import_module("typer.main")
    root = typer_main.get_command(importlib.import_module("potok.cli").app)
    found: set[str] = set()

    def walk(command: Any, words: str) -> None:
        children = getattr(command, "commands", {})
        for name, child in children.items():
            walk(child, f"{words} {name}")
        if not children:
            found.add(words)

    walk(root, "potok")
    return found
