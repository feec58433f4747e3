from pathlib import Path

import pytest

from potok.assembly.settings import load_settings
from potok.cli.client import Server
from potok.cli.targets import is_potok, server_of, settings_of
from potok.errors import SettingInvalid
from tests.unit.cli.fake_server import Script, playing


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"POTOK_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"POTOK_HOST": "::1"}, "http://[::1]:8000"),
        ({"POTOK_HOST": "0.0.0.0", "POTOK_API_KEY": "k"}, "http://127.0.0.1:8000"),
        ({"POTOK_HOST": "::", "POTOK_API_KEY": "k"}, "http://[::1]:8000"),
    ],
)
def test_the_server_of_the_settings_is_where_serve_listens(
    environ: dict[str, str], url: str
) -> None:
    assert server_of(load_settings(environ), None).url == url


def test_an_address_given_wins() -> None:
    assert server_of(load_settings({}), "http://other:1").url == "http://other:1"


def test_options_take_the_place_of_variables(tmp_path: Path) -> None:
    settings = settings_of(port="9001", host=None, data_dir=str(tmp_path))

    assert (settings.server.port, settings.server.host) == (9001, "127.0.0.1")
    assert settings.data_dir == tmp_path


def test_a_wrong_option_is_refused_like_its_variable() -> None:
    with pytest.raises(SettingInvalid, match="POTOK_PORT must be"):
        settings_of(port="http")


@pytest.mark.parametrize("is_one", [True, False])
def test_a_potok_is_told_from_a_stranger(is_one: bool) -> None:
    with playing(Script(is_potok=is_one)) as url:
        assert is_potok(Server(url)) is is_one
