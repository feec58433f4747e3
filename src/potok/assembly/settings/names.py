"""Which names are settings, and what to say to a name that is none."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from potok.assembly.settings.group import Group

__all__ = ["CONFIG_VARIABLE", "find_unknown_keys", "find_unknown_variables"]

CONFIG_VARIABLE = "POTOK_CONFIG"
_PREFIX = "POTOK_"
# Kubernetes puts these into every container beside a service whose name begins with "potok".
_SERVICE_LINK = re.compile(
    r"POTOK_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)"
)


def find_unknown_variables(
    environ: Mapping[str, str], groups: Iterable[type[Group]]
) -> Iterator[str]:
    """Give a sentence for each `POTOK_...` variable that is no setting."""
    known = {CONFIG_VARIABLE}
    for group in groups:
        known.update(group.variable_of(field) for field in group.model_fields)
    for name in sorted(environ):
        if not name.startswith(_PREFIX) or name in known or not environ[name]:
            continue
        if not _SERVICE_LINK.fullmatch(name):
            yield f"{name} is no setting of Potok. {_suggest(name, known, 'variable')}"


def find_unknown_keys(
    tables: Mapping[str, Any], groups: Iterable[type[Group]], *, file: str
) -> Iterator[str]:
    """Give a sentence for each table of the file, and each key of a group's, that is no setting."""
    keys_of = {group.table: set(group.model_fields) for group in groups if group.table}
    known = {*keys_of, "providers", "aliases", "models"}
    for table, content in tables.items():
        home = next((name for name, keys in keys_of.items() if table in keys), None)
        if table not in known and home is not None:
            yield f"{table} in {file} stands outside a table. Move it under [{home}]."
        elif table not in known:
            yield f"[{table}] in {file} is no table of settings. {_suggest(table, known, 'table')}"
        elif not isinstance(content, dict):
            yield f"{table} in {file} must be a table. Write [{table}] and its keys below it."
        elif table in keys_of:
            for key in sorted(content.keys() - keys_of[table]):
                hint = _suggest(key, keys_of[table], f"key of [{table}]")
                yield f"{key} in [{table}] of {file} is no setting of Potok. {hint}"


def _suggest(name: str, known: set[str], what: str) -> str:
    # The prefix that all variables share says nothing of which one was meant.
    bare = {word.removeprefix(_PREFIX): word for word in sorted(known)}
    near = get_close_matches(name.removeprefix(_PREFIX), bare, n=1, cutoff=0.6)
    if near:
        return f"The closest {what} is {bare[near[0]]}."
    return f"Known: {', '.join(sorted(known))}."
