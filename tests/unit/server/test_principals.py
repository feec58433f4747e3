import pytest

from potok.errors import Unauthorized
from potok.server.principals import LOCAL, KeyedPrincipals, LocalPrincipal

TWO = KeyedPrincipals({"key-of-anna": "anna", "key-of-boris": "boris"})


def scope_with(authorization: str | None) -> dict[str, object]:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return {"type": "http", "headers": headers}


@pytest.mark.parametrize("authorization", [None, "Bearer whatever", "Basic x", ""])
def test_without_keys_everybody_is_the_same_person(authorization: str | None) -> None:
    who = LocalPrincipal().who(scope_with(authorization))

    assert who == LOCAL


@pytest.mark.parametrize(
    ("authorization", "principal"),
    [
        ("Bearer key-of-anna", "anna"),
        ("bearer   key-of-boris ", "boris"),
        ("BEARER key-of-anna", "anna"),
    ],
)
def test_each_key_names_its_principal(authorization: str, principal: str) -> None:
    who = TWO.who(scope_with(authorization))

    assert who == principal


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer key",
        "Bearer key-of-anna2",
        "Basic key-of-anna",
        "key-of-anna",
        "Bearer ключ",
    ],
)
def test_a_missing_or_wrong_key_is_refused(authorization: str | None) -> None:
    with pytest.raises(Unauthorized):
        TWO.who(scope_with(authorization))


def test_an_empty_key_lets_nobody_in() -> None:
    with pytest.raises(Unauthorized):
        KeyedPrincipals({"": "nobody"}).who(scope_with("Bearer "))
