"""The page of settings says what the code does: every name, in its table, with its default."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from potok.assembly.settings import (
    GROUPS,
    GgufTable,
    HubSettings,
    OllamaSettings,
    OpenAiSettings,
    ProviderTable,
)

PAGE = (Path(__file__).parents[3] / "docs/reference/settings.md").read_text(encoding="utf-8")
# What the page says in words, because it depends on the machine or is nothing.
IN_WORDS = {"POTOK_DATA_DIR": "~/.local/share/potok"}

FIELDS = [
    pytest.param(group.table, group.variable_of(name), name, field, id=group.variable_of(name))
    for group in GROUPS
    for name, field in group.model_fields.items()
]


def rows_of(table: str) -> dict[str, list[str]]:
    section = PAGE.partition(f"## `[{table}]`")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[1].strip(" `"): [cell.strip(" `") for cell in row[2:-1]] for row in rows}


def shown(value: Any) -> set[str]:
    if value is None or value == ():
        return {"not set", "none"}
    return {f"{value:g}" if isinstance(value, float) else str(value)}


@pytest.mark.parametrize(("table", "variable", "name", "field"), FIELDS)
def test_each_setting_stands_in_its_table_with_its_default(
    table: str, variable: str, name: str, field: FieldInfo
) -> None:
    key, default, meaning = rows_of(table)[variable]

    assert key == name
    if variable in IN_WORDS:
        assert default == IN_WORDS[variable]
    else:
        assert default in shown(field.default)
    assert meaning


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.table)
def test_the_page_names_no_setting_that_there_is_not(group: Any) -> None:
    known = {group.variable_of(name) for name in group.model_fields}

    assert set(rows_of(group.table)) == known


def test_the_names_of_providers_are_all_there() -> None:
    section = PAGE.partition("## Providers")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))

    groups = (OpenAiSettings, OllamaSettings)
    variables = {group.variable_of(name) for group in groups for name in group.model_fields}
    assert named == variables | {*ProviderTable.model_fields, *GgufTable.model_fields}


def test_the_hubs_variables_are_all_there_with_their_defaults() -> None:
    section = PAGE.partition("## The hub")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))

    fields = HubSettings.model_fields.items()
    assert rows.keys() == {HubSettings.variable_of(name) for name, _ in fields}
    for name, field in fields:
        assert rows[HubSettings.variable_of(name)].strip("`") in shown(field.default)
