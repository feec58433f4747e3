from pathlib import Path

import pytest

from potok.assembly.settings import load_settings
from potok.cli.banner import describe_models, describe_server, shown_address
from potok.models.contract import ModelInfo

SECRET = "sk-very-secret-1234"


def block(address: str = "http://127.0.0.1:8000", **environ: str) -> str:
    settings = load_settings({"POTOK_DATA_DIR": "/data", **environ})
    return describe_server(settings, version="1.2.3", address=address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("potok.lan", "http://potok.lan:80"),
    ],
)
def test_the_address_is_one_that_can_be_opened(host: str, address: str) -> None:
    assert shown_address(host, 80) == address


def test_the_first_line_says_that_it_is_ready_and_where() -> None:
    assert block().splitlines()[0] == "Potok 1.2.3 is ready at http://127.0.0.1:8000"


def test_alone_the_demo_says_what_it_is_and_how_to_connect_a_model() -> None:
    said = block()

    assert "is no LLM" in said
    assert "OPENAI_API_KEY=... potok serve" in said
    assert "/data" in said


def test_with_a_provider_its_name_is_shown_and_no_key() -> None:
    said = block(OPENAI_API_KEY=SECRET)

    assert "openai (https://api.openai.com/v1), demo" in said
    assert "is no LLM" not in said
    assert SECRET not in said


def test_the_query_of_a_providers_address_is_not_shown() -> None:
    assert SECRET not in block(OPENAI_BASE_URL=f"https://llm.example/v1?key={SECRET}")


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("http://127.0.0.1:8000", "  potok chat\n"),
        ("http://127.0.0.1:9000", "  potok chat --url http://127.0.0.1:9000\n"),
    ],
)
def test_the_chat_command_finds_this_server(address: str, command: str) -> None:
    assert command in block(address)


def test_a_server_with_a_key_shows_commands_that_send_it_and_not_the_key() -> None:
    said = block(POTOK_HOST="0.0.0.0", POTOK_API_KEY=SECRET)

    assert said.count('-H "Authorization: Bearer $POTOK_API_KEY"') == 3
    assert "every network of this machine" in said
    assert SECRET not in said


@pytest.mark.parametrize("environ", [{}, {"POTOK_API_KEY": "k"}, {"OPENAI_API_KEY": "k"}])
def test_no_line_is_wider_than_a_terminal(environ: dict[str, str]) -> None:
    assert max(len(line) for line in block(**environ).splitlines()) <= 100


def test_many_models_are_counted() -> None:
    (account,) = load_settings({"OPENAI_API_KEY": "k"}).providers
    models = [ModelInfo(name=f"m{number}", provider="openai") for number in range(8)]

    assert describe_models(account, models) == "openai serves m0, m1, m2, m3, m4, m5 and 2 more."
    assert describe_models(account, []) == "openai serves no model."


def test_the_data_folder_is_shown_as_it_is_used(tmp_path: Path) -> None:
    assert str(tmp_path) in block(POTOK_DATA_DIR=str(tmp_path))
