from dataclasses import replace
from pathlib import Path

import pytest

from potok.assembly.build import LOG_FILE, build
from potok.assembly.settings import ProviderAccount, load_settings
from potok.errors import DataFolderInUse, Unauthorized
from potok.limits import MODELS_FAILURE_KEPT_SECONDS
from potok.server.principals import LOCAL
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.upstream import ScriptedUpstream

ADDRESS = "http://127.0.0.1:8000"


def settings_in(folder: Path, **environ: str) -> dict[str, str]:
    # Whether this machine has an Ollama of its own is nothing to a test.
    return {"POTOK_DATA_DIR": str(folder), "POTOK_UPSTREAM_DISCOVERY": "off", **environ}


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


async def test_an_ollama_by_its_variable_is_a_provider_like_others(tmp_path: Path) -> None:
    async with ScriptedUpstream(models=("llama3.2:latest",)) as upstream:
        environ = settings_in(tmp_path, OLLAMA_HOST=upstream.ollama_url)
        built = build(load_settings(environ), address=ADDRESS)
        async with built.opened():
            models = [model.full_name for model in await built.catalogue.list()]
            default = await built.catalogue.resolve(None)

    assert models == ["ollama/llama3.2:latest", "demo/demo"]
    assert default.info.full_name == "ollama/llama3.2:latest"


async def test_an_ollama_by_its_variable_that_is_down_is_told(tmp_path: Path) -> None:
    environ = settings_in(tmp_path, OLLAMA_HOST="127.0.0.1:1")
    built = build(load_settings(environ), address=ADDRESS)

    async with built.opened():
        await built.catalogue.list()

    assert "ollama" in built.catalogue.failures


async def test_a_guess_is_silent_while_it_is_wrong_and_counts_once_it_is_right(
    tmp_path: Path,
) -> None:
    upstream = ScriptedUpstream(models=("llama3.2:latest",))
    await upstream.start()
    guess = ProviderAccount(
        name="ollama",
        kind="ollama",
        base_url=upstream.ollama_url,
        api_key=None,
        key_variable="none",
    )
    await upstream.stop()
    settings = replace(load_settings(settings_in(tmp_path)), guesses=(guess,))
    clock = FakeClock()
    built = build(settings, address=ADDRESS, clock=clock)

    async with built.opened():
        alone = await built.catalogue.resolve("gpt-4o")
        failures = built.catalogue.failures
        # The same port again: what a person does who starts Ollama later.
        await upstream.start()
        clock.advance(MODELS_FAILURE_KEPT_SECONDS)
        default = await built.catalogue.resolve(None)
        await upstream.stop()

    assert alone.info.full_name == "demo/demo"
    assert failures == {}
    assert default.info.full_name == "ollama/llama3.2:latest"
