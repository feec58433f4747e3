import pickle

import pytest

from potok.errors import SettingInvalid
from potok.models.accounts import Account, Secret

KEY = "sk-very-secret-1"


def account(base_url: str = "https://api.test/v1", api_key: str | None = KEY) -> Account:
    return Account(name="openai", base_url=base_url, api_key=api_key)


def test_a_key_is_shown_only_where_it_is_asked_for() -> None:
    secret = Secret(KEY)

    assert secret.reveal() == KEY
    assert KEY not in repr(secret) + str(secret) + f"{secret!s:>40}" + repr([secret])
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_an_account_shows_neither_key_nor_password() -> None:
    shown = account("https://me:pass@api.test/v1?api-version=1", api_key=None)

    assert shown.shown_url == "https://api.test/v1"
    assert KEY not in repr(account())


def test_a_key_beside_a_users_name_is_refused() -> None:
    with pytest.raises(SettingInvalid, match="leave one of them out") as caught:
        account("https://me:pass@api.test/v1")

    assert "pass" not in str(caught.value)


def test_calls_carry_the_key_only_if_there_is_one() -> None:
    assert account().headers()["Authorization"] == f"Bearer {KEY}"
    for nothing in (None, "", "  "):
        assert "Authorization" not in account(api_key=nothing).headers()
        assert not account(api_key=nothing).has_key


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.test/v1", "https://api.test/v1/models"),
        (" https://api.test/v1/ ", "https://api.test/v1/models"),
        ("http://localhost:11434", "http://localhost:11434/models"),
        ("https://api.test/v1?version=2", "https://api.test/v1/models?version=2"),
    ],
)
def test_a_path_goes_behind_the_base(base_url: str, url: str) -> None:
    assert account(base_url).url("/models") == url


@pytest.mark.parametrize(
    "base_url", ["", "localhost:11434", "ftp://x/v1", "https://", "http://x:port/v1", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(SettingInvalid, match="give a base URL like"):
        account(base_url)


@pytest.mark.parametrize("key", ["sk-a\nb", "sk ab", "ключ", "sk-\x7f"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingInvalid, match="OPENAI_API_KEY") as caught:
        account(api_key=key)

    assert key not in str(caught.value)
