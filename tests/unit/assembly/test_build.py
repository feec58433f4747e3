from pathlib import Path

import pytest

from potok.assembly.build import LOG_FILE, build
from potok.assembly.settings import load_settings
from potok.errors import DataFolderInUse, Unauthorized
from potok.server.principals import LOCAL
from potok.testing.fakes import CountingIds, FakeClock

ADDRESS = "http://127.0.0.1:8000"


def settings_in(folder: Path, **environ: str) -> dict[str, str]:
    return {"POTOK_DATA_DIR": str(folder), **environ}


async def test_the_parts_open_and_close_and_the_log_is_in_the_data_folder(tmp_path: Path) -> None:
    built = build(load_settings(settings_in(tmp_path)), address=ADDRESS)

    async with built.opened() as services:
        models = [model.full_name for model in await built.catalogue.list()]

    assert services is built.services
    assert models == ["demo/demo"]
    assert (tmp_path / LOG_FILE).exists()


async def test_building_alone_touches_nothing(tmp_path: Path) -> None:
    build(load_settings(settings_in(tmp_path / "data")), address=ADDRESS)

    assert not (tmp_path / "data").exists()


async def test_a_folder_in_use_is_refused_and_free_again_afterwards(tmp_path: Path) -> None:
    settings = load_settings(settings_in(tmp_path))
    async with build(settings, address=ADDRESS).opened():
        with pytest.raises(DataFolderInUse):
            async with build(settings, address=ADDRESS).opened():
                pass

    async with build(settings, address=ADDRESS).opened():
        pass


async def test_the_catalogue_is_closed_with_the_log(tmp_path: Path) -> None:
    environ = settings_in(tmp_path, OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    built = build(load_settings(environ), address=ADDRESS, clock=FakeClock(), ids=CountingIds())

    async with built.opened():
        await built.catalogue.list()

    assert "openai" in built.catalogue.failures


async def test_what_the_server_says_of_itself_comes_from_the_settings(tmp_path: Path) -> None:
    about = build(load_settings(settings_in(tmp_path)), address=ADDRESS).services.about

    assert (about.address, about.data_folder) == (ADDRESS, str(tmp_path))


def test_without_a_key_everybody_is_the_local_principal(tmp_path: Path) -> None:
    access = build(load_settings(settings_in(tmp_path)), address=ADDRESS).services.access

    assert access.principals.who({"type": "http", "headers": []}) == LOCAL


def test_with_a_key_only_its_bearer_is(tmp_path: Path) -> None:
    environ = settings_in(tmp_path, POTOK_HOST="0.0.0.0", POTOK_API_KEY="k1")
    access = build(load_settings(environ), address=ADDRESS).services.access

    bearer = {"type": "http", "headers": [(b"authorization", b"Bearer k1")]}
    assert access.principals.who(bearer) == LOCAL
    with pytest.raises(Unauthorized):
        access.principals.who({"type": "http", "headers": []})


async def test_aliases_reach_the_catalogue(tmp_path: Path) -> None:
    config = tmp_path / "potok.toml"
    config.write_text('[aliases]\nbest = "demo/demo"\n')
    built = build(load_settings(settings_in(tmp_path), config), address=ADDRESS)

    async with built.opened():
        model = await built.catalogue.resolve("best")

    assert model.info.full_name == "demo/demo"
