import base64

import pytest

from potok.server.socket_keys import key_in_subprotocols, subprotocol_of


@pytest.mark.parametrize("key", ["k", "ke", "key", "keys", "a+b/c=d", "ключ", "x" * 200, "\n"])
def test_any_key_comes_through_in_base64url_with_or_without_padding(key: str) -> None:
    word = base64.urlsafe_b64encode(key.encode()).decode()

    for spoken in (word, word.rstrip("=")):
        scope = {"subprotocols": ["potok", f"bearer.{spoken}"]}
        assert key_in_subprotocols(scope) == key


@pytest.mark.parametrize(
    "offered",
    [[], ["potok"], ["bearer."], ["bearer.a"], ["bearer.@@@@"], ["bearer._w"], ["bearer.a b"]],
)
def test_what_is_no_key_is_none(offered: list[str]) -> None:
    assert key_in_subprotocols({"subprotocols": offered}) == ""


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [([], None), (["bearer.a"], None), (["bearer.a", "potok"], "potok"), (["graphql-ws"], None)],
)
def test_only_our_own_subprotocol_is_answered(offered: list[str], chosen: str | None) -> None:
    assert subprotocol_of({"subprotocols": offered}) == chosen
