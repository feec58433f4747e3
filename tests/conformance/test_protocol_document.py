"""The protocol's document says what the code does, and its sections stand where others point."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from potok import errors
from potok.events.kinds import GRAMMAR_VERSION, KINDS

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "spec" / "PROTOCOL.md").read_text(encoding="utf-8")

SECTIONS = [
    "1 Scope",
    "2 Words",
    "3 Events",
    "4 Offsets and ids",
    "5 Native framing",
    "6 Folding",
    "7 Starting, idempotency, cancelling, disconnect",
    "8 Errors",
    "9 Sockets",
]
# Raised in a client of ours, about a server; no server sends them.
CLIENT_CODES = {"server_unreachable", "server_refused"}


def section(number: str) -> str:
    found = re.search(rf"^#+ {re.escape(number)} .*?(?=^## |^### |\Z)", DOCUMENT, re.M | re.S)
    assert found, f"there is no section {number}"
    return found[0]


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def field_in_words(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT:
        return field.encode_name
    return f"{field.encode_name}={json.dumps(field.default)}"


def test_the_sections_have_their_numbers() -> None:
    assert re.findall(r"^## (.*)$", DOCUMENT, re.M) == SECTIONS


def test_the_table_of_kinds_is_the_codes() -> None:
    table = {kind.strip("`"): fields.strip("`") for kind, fields, _ in rows_of(section("3.2"))}

    coded = {
        kind: ", ".join(field_in_words(field) for field in msgspec.structs.fields(noun))
        for kind, noun in KINDS.items()
    }

    assert table == coded


def test_the_version_is_the_codes() -> None:
    assert f"which is {GRAMMAR_VERSION} for this document" in section("3.1")


def every_error(owner: type[errors.PotokError]) -> list[type[errors.PotokError]]:
    found = [owner]
    for narrower in owner.__subclasses__():
        # Errors of the set-up end the server before anybody can be answered.
        if narrower is not errors.SetupError and narrower.__module__ == errors.__name__:
            found += every_error(narrower)
    return found


def test_every_code_that_a_client_can_see_is_named() -> None:
    named = {code for row in rows_of(section("8")) for code in re.findall(r"`(\w+)`", row[0])}

    raised = {error.code for error in every_error(errors.PotokError)}

    assert named == raised - CLIENT_CODES


@pytest.mark.parametrize("file", ["src/**/*.py", "web/src/**/*.ts", "web/src/**/*.tsx"])
def test_code_points_to_sections_that_exist(file: str) -> None:
    for path in ROOT.glob(file):
        for pointer in re.findall(r"\(spec ([\d., ]+)\)", path.read_text(encoding="utf-8")):
            for number in pointer.split(","):
                assert section(number.strip()), f"{path} points to section {number}"


@pytest.mark.parametrize("pointer", sorted(set(re.findall(r"\((\d\.\d)\)", DOCUMENT))))
def test_the_document_points_to_sections_that_exist(pointer: str) -> None:
    assert section(pointer)
