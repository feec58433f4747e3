"""The page of commands names every command and every option, and the exit codes."""

import re
from pathlib import Path

from typer.main import get_command

from potok.cli import app
from potok.cli.exits import Exit

PAGE = (Path(__file__).parents[3] / "docs/reference/cli.md").read_text(encoding="utf-8")


def test_every_command_has_a_section_with_all_its_options() -> None:
    commands = getattr(get_command(app), "commands", {})
    assert commands

    for name, command in commands.items():
        section = PAGE.partition(f"## `potok {name}`")[2].partition("\n## ")[0]
        options = {opt for parameter in command.params for opt in parameter.opts if opt[0] == "-"}
        assert section, name
        assert {option for option in options if option not in section} == set(), name


def test_the_page_has_no_command_that_there_is_not() -> None:
    commands = getattr(get_command(app), "commands", {})

    assert set(re.findall(r"^## `potok (\w+)`", PAGE, re.MULTILINE)) == set(commands)


def test_every_exit_code_is_explained() -> None:
    explained = set(re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE))

    assert explained == {str(code.value) for code in Exit}
