from pathlib import Path

import pytest

from potok.assembly.settings import ProviderAccount, Settings, load_settings
from potok.assembly.settings.ollama import OLLAMA_URL, ollama_url
from potok.errors import SettingInvalid


def load(tmp_path: Path, text: str = "", **environ: str) -> Settings:
    path = tmp_path / "potok.toml"
    path.write_text(text)
    return load_settings(environ, path)


def places(accounts: tuple[ProviderAccount, ...]) -> list[tuple[str, str, str]]:
    return [(account.name, account.kind, account.base_url) for account in accounts]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("1.2.3.4", "http://1.2.3.4:11434"),
        ("1.2.3.4:1234", "http://1.2.3.4:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("gpu.lan", "http://gpu.lan:11434"),
        ("gpu.lan/", "http://gpu.lan:11434"),
        ("http://1.2.3.4", "http://1.2.3.4"),
        ("https://gpu.example", "https://gpu.example"),
        ("https://gpu.example:4321/", "https://gpu.example:4321"),
        ("https://gpu.example/ollama", "https://gpu.example/ollama"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:11434"),
        ("[::]:1337", "http://[::1]:1337"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:1337", "http://[::1]:1337"),
        (' "1.2.3.4" ', "http://1.2.3.4:11434"),
        ("'localhost'", "http://localhost:11434"),
    ],
)
def test_a_host_means_what_ollamas_own_programs_take_it_for(host: str, url: str) -> None:
    assert ollama_url(host) == url


@pytest.mark.parametrize(
    "host",
    [
        "ftp://a",
        "a:66000",
        "a:port",
        "a b",
        "user:pw@host",
        "http://user@host",
        "[::1",
        "a?b",
        "[]",
    ],
)
def test_a_host_that_is_none_is_refused_by_name(host: str) -> None:
    with pytest.raises(SettingInvalid, match="OLLAMA_HOST must be a host, host:port or URL"):
        load_settings({"OLLAMA_HOST": host})


def test_the_variable_alone_is_a_provider_and_ends_the_guessing() -> None:
    settings = load_settings({"OLLAMA_HOST": "0.0.0.0"})

    assert places(settings.providers) == [("ollama", "ollama", "http://127.0.0.1:11434")]
    assert settings.providers[0].api_key is None
    assert settings.guesses == ()


def test_with_nothing_set_an_ollama_on_this_machine_is_guessed() -> None:
    settings = load_settings({})

    assert settings.providers == ()
    assert places(settings.guesses) == [("ollama", "ollama", OLLAMA_URL)]


def test_guessing_can_be_switched_off() -> None:
    assert load_settings({"POTOK_UPSTREAM_DISCOVERY": "off"}).guesses == ()
    with pytest.raises(SettingInvalid, match="POTOK_UPSTREAM_DISCOVERY must be on"):
        load_settings({"POTOK_UPSTREAM_DISCOVERY": "no"})


@pytest.mark.parametrize(
    "url", ["http://localhost:11434/v1", "http://127.0.0.1:11434/v1", "http://[::1]:11434/v1"]
)
def test_an_ollama_that_is_configured_in_another_way_is_not_guessed_too(url: str) -> None:
    assert load_settings({"OPENAI_BASE_URL": url}).guesses == ()


@pytest.mark.parametrize(
    "url", ["http://gpu.lan:11434/v1", "http://localhost:1234/v1", "http://a:99999"]
)
def test_other_providers_do_not_end_the_guessing(url: str) -> None:
    assert places(load_settings({"OPENAI_BASE_URL": url}).guesses) == [
        ("ollama", "ollama", OLLAMA_URL)
    ]


def test_the_order_is_file_then_openai_then_ollama(tmp_path: Path) -> None:
    text = '[providers.far]\nkind = "ollama"\nbase_url = "http://gpu.lan:11434"\n'

    settings = load(tmp_path, text, OPENAI_API_KEY="k", OLLAMA_HOST="localhost")

    assert [account.name for account in settings.providers] == ["far", "openai", "ollama"]


def test_a_table_named_ollama_replaces_the_variable(tmp_path: Path) -> None:
    text = '[providers.ollama]\nkind = "ollama"\nbase_url = "http://gpu.lan:11434"\n'

    settings = load(tmp_path, text, OLLAMA_HOST="localhost")

    assert places(settings.providers) == [("ollama", "ollama", "http://gpu.lan:11434")]
    assert settings.guesses == ()


def test_a_table_without_an_address_takes_that_of_the_variable_or_the_usual(tmp_path: Path) -> None:
    text = '[providers.here]\nkind = "ollama"\n'

    assert places(load(tmp_path, text).providers) == [("here", "ollama", OLLAMA_URL)]
    assert places(load(tmp_path, text, OLLAMA_HOST="gpu.lan").providers) == [
        ("here", "ollama", "http://gpu.lan:11434")
    ]


@pytest.mark.parametrize("end", ["/v1", "/api", "/v1/", "/"])
def test_the_place_of_one_api_is_cut_off(tmp_path: Path, end: str) -> None:
    text = f'[providers.x]\nkind = "ollama"\nbase_url = "http://gpu.lan:11434{end}"\n'

    assert load(tmp_path, text).providers[0].base_url == "http://gpu.lan:11434"


def test_a_key_for_a_proxy_in_front_of_it_comes_from_a_variable(tmp_path: Path) -> None:
    text = '[providers.x]\nkind = "ollama"\nbase_url = "https://o.example"\napi_key_env = "O_KEY"\n'

    (account,) = load(tmp_path, text, O_KEY="k1").providers

    assert account.api_key is not None
    assert account.key_variable == "O_KEY"
