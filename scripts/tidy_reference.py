"""Compares the reference pages with the code: error codes, settings, routes and commands."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock, patch

from scripts.tidy_tree import Fault, Tree

ERRORS = "src/potok/errors"
SETTINGS = "src/potok/assembly/settings"
VARIABLE = re.compile(r"POTOK_[A-Z_]*[A-Z]")


def find_undocumented(tree: Tree) -> Iterator[Fault]:
    """Error codes, settings, routes and commands that the reference pages do not name."""
    pages: tuple[tuple[str, str, Callable[[Tree], set[str]]], ...] = (
        (ERRORS, "docs/reference/errors.md", collect_codes),
        (SETTINGS, "docs/reference/settings.md", collect_settings),
        ("src/potok/server/app", "docs/reference/routes.md", collect_routes),
        ("src/potok/cli", "docs/reference/cli.md", collect_commands),
    )
    for source, page, collect in pages:
        if not list(modules_of(tree, source)):
            continue
        try:
            wanted = collect(tree)
        except (
            Exception
        ) as error:  # whatever is wrong with that module, its author wants to read it
            reason = f"{type(error).__name__}: {error}"
            yield Fault("docs", source, f"cannot be compared with {page}: {reason}")
            continue
        text = tree.texts.get(page, "")
        missing = [name for name in sorted(wanted) if not is_named(name, text)]
        if missing:
            yield Fault("docs", page, f"does not name {', '.join(missing)} (of {source})")


def modules_of(tree: Tree, source: str) -> Iterator[ast.Module]:
    """The module at a path without `.py`, or the modules of the package there."""
    for file, module in tree.modules.items():
        if file == f"{source}.py" or file.startswith(f"{source}/"):
            yield module


def is_named(name: str, text: str) -> bool:
    """Whether a page has the name by itself, not as a part of a longer one."""
    return re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", text) is not None


def collect_codes(tree: Tree) -> set[str]:
    """The `code` of every error class, assigned alone or in a row (`code, retryable = ...`)."""
    codes: set[str] = set()
    for node in (node for module in modules_of(tree, ERRORS) for node in ast.walk(module)):
        match node:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                codes.add(code)
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                codes.add(code)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = dict(zip(map(ast.unparse, names), values, strict=False))
                if isinstance(constant := pairs.get("code"), ast.Constant):
                    codes.add(str(constant.value))
    return codes - {""}


def collect_settings(tree: Tree) -> set[str]:
    """The environment name of each setting, and the keys of the tables in a settings file."""
    from pydantic import BaseModel
    from pydantic_settings import BaseSettings

    module = importlib.import_module("potok.assembly.settings")
    found: set[str] = set()
    for group in vars(module).values():
        if not (inspect.isclass(group) and issubclass(group, BaseModel)):
            continue
        if not group.__module__.startswith(module.__name__):
            continue
        prefix = str(group.model_config.get("env_prefix", ""))
        for name, field in group.model_fields.items():
            if isinstance(field.validation_alias, str):
                found.add(field.validation_alias)
            else:
                found.add((prefix + name).upper() if issubclass(group, BaseSettings) else name)
    # Variables that are no field, such as the one that names the settings file.
    for node in (node for own in modules_of(tree, SETTINGS) for node in own.body):
        match node:
            case ast.Assign(value=ast.Constant(value=str(text))) if VARIABLE.fullmatch(text):
                found.add(text)
    return found


def collect_routes(tree: Tree) -> set[str]:
    """Every path of the application, WebSockets too; it is built around stand-ins for its parts."""
    module = importlib.import_module("potok.server.app")
    made: list[Any] = []

    def keep(*args: Any, **kwargs: Any) -> Any:
        # What build_app returns is wrapped in layers of its own.
        made.append(framework(*args, **kwargs))
        return made[-1]

    framework = module.FastAPI
    with patch.object(module, "FastAPI", keep):
        module.build_app(*(MagicMock() for _ in inspect.signature(module.build_app).parameters))
    # `{model:path}` says how the framework matches; readers know it as `{model}`.
    return {re.sub(r":\w+}", "}", path) for app in made for path in paths_of(app.routes, "")}


def paths_of(routes: list[Any], prefix: str) -> Iterator[str]:
    """The paths of routes, and of the routes mounted below them."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        below = getattr(route, "routes", None)
        if isinstance(below, list) and below:
            yield from paths_of(below, path)
        elif path:
            yield path


def collect_commands(tree: Tree) -> set[str]:
    """`potok <command>` for each command of `potok.cli.app`, with those of its groups."""
    root = importlib.import_module("typer.main").get_command(
        importlib.import_module("potok.cli").app
    )
    return set(commands_of(root, "potok"))


def commands_of(command: Any, words: str) -> Iterator[str]:
    """The command's own words, or those of the commands below it."""
    below = getattr(command, "commands", {})
    for name, child in below.items():
        yield from commands_of(child, f"{words} {name}")
    if not below:
        yield words
