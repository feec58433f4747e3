"""Ids at a hub and names of models."""

import pytest

from potok.errors import ModelFileRefused
from potok.models.gguf.address import check_name, name_from_url, parse_hub_id

HUB = "https://hub.example"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("org/repo:a.gguf", f"{HUB}/org/repo/resolve/main/a.gguf"),
        ("org/repo@v1:sub/a b.gguf", f"{HUB}/org/repo/resolve/v1/sub/a%20b.gguf"),
        ("org/repo@refs/pr/1:a.gguf", f"{HUB}/org/repo/resolve/refs%2Fpr%2F1/a.gguf"),
    ],
)
def test_an_id_is_an_address_at_a_hub(text: str, url: str) -> None:
    found = parse_hub_id(text)

    assert found is not None
    assert found.url(HUB) == url


def test_an_id_may_leave_the_file_to_the_hubs_list() -> None:
    found = parse_hub_id("org/repo")

    assert found is not None
    assert found.file is None
    assert found.list_url(HUB) == f"{HUB}/api/models/org/repo/revision/main"


@pytest.mark.parametrize("text", ["", "model", "./a.gguf", "../x/y", "a/b/c", "/a/b", "a/b:../c"])
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_hub_id(text) is None


def test_a_file_at_an_address_suggests_a_name() -> None:
    assert name_from_url("https://x.example/m/My%20Model-q4.gguf?download=1") == "My Model-q4"


def test_a_name_may_come_with_its_ending() -> None:
    assert check_name("qwen3-8b_Q4.gguf") == "qwen3-8b_Q4"


@pytest.mark.parametrize("name", ["", ".gguf", "a/b", "../a", "-x", "a b", "x" * 300, "имя"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ModelFileRefused):
        check_name(name)
