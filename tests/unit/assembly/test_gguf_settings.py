"""Settings of models in files, and the providers that are made of them."""

from pathlib import Path

import pytest

from potok.assembly.build import build
from potok.assembly.local_models import used_places
from potok.assembly.settings import Settings, load_hub, load_settings
from potok.errors import SettingInvalid
from potok.models.gguf.options import GgufOptions
from tests.tiny_gguf import build_tiny_gguf


def settings_with(tmp_path: Path, text: str = "", **environ: str) -> Settings:
    file = tmp_path / "potok.toml"
    file.write_text(text)
    given = {f"POTOK_{name.upper()}": value for name, value in environ.items()}
    base = {"POTOK_DATA_DIR": str(tmp_path / "data"), "POTOK_UPSTREAM_DISCOVERY": "off"}
    return load_settings({**base, **given}, config_path=file)


def test_the_data_folders_models_need_no_setting(tmp_path: Path) -> None:
    (place,) = settings_with(tmp_path).gguf_places

    assert (place.name, place.path) == ("gguf", tmp_path / "data" / "models")
    assert not place.must_exist
    assert place.serving == GgufOptions()


def test_a_provider_takes_what_it_does_not_say_from_the_group(tmp_path: Path) -> None:
    text = "[gguf]\nslots = 3\n[providers.qwen]\nkind = 'gguf'\npath = 'a.gguf'\nslots = 1\n"

    settings = settings_with(tmp_path, text, gguf_threads="4")

    qwen, folder = settings.gguf_places
    assert (qwen.name, qwen.path, qwen.must_exist) == ("qwen", Path.cwd() / "a.gguf", True)
    assert (qwen.serving.slots, qwen.serving.threads) == (1, 4)
    assert (folder.serving.slots, folder.serving.threads) == (3, 4)


WRONG = [
    ("[providers.gguf]\nkind = 'gguf'\npath = 'a'", "cannot be called so"),
    ("[providers.x]\nkind = 'gguf'", "path in [providers.x] of"),
    ("[providers.x]\nkind = 'gguf'\npath = ''", "path in [providers.x] of"),
    ("[providers.x]\nkind = 'gguf'\npath = 'a'\nslots = 0", "slots in [providers.x] of"),
    ("[providers.x]\nkind = 'gguf'\npath = 'a'\nslots = true", "slots in [providers.x] of"),
    ("[providers.x]\nkind = 'gguf'\npath = 'a'\nbase_url = 'b'", "base_url in [providers.x] of"),
    ("[gguf]\ncontext_tokens = 1", "context_tokens in [gguf] of"),
    ("[gguf]\nmodels = 'x'", "models in [gguf] of"),
]


@pytest.mark.parametrize(("text", "wanted"), WRONG)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        settings_with(tmp_path, text)

    assert wanted in caught.value.message


def test_an_empty_folder_is_no_provider_to_speak_of(tmp_path: Path) -> None:
    assert used_places(settings_with(tmp_path)) == ()


async def test_a_model_that_lies_there_answers_before_the_demo(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    catalogue = build(settings, address="http://127.0.0.1:1").catalogue
    assert (await catalogue.resolve(None)).info.full_name == "demo/demo"
    await catalogue.close()

    settings.gguf_places[0].path.mkdir(parents=True)
    build_tiny_gguf(settings.gguf_places[0].path / "tiny.gguf")
    catalogue = build(settings, address="http://127.0.0.1:1").catalogue

    assert (await catalogue.resolve(None)).info.full_name == "gguf/tiny"
    assert (await catalogue.resolve("tiny")).info.full_name == "gguf/tiny"
    await catalogue.close()


def test_the_hub_has_an_address_of_its_own_and_others_may_be_set() -> None:
    assert load_hub({}).endpoint.startswith("https://")
    assert load_hub({"HF_ENDPOINT": "http://mirror.lan/"}).endpoint == "http://mirror.lan"


@pytest.mark.parametrize("variable", ["HF_ENDPOINT", "HF_TOKEN"])
def test_a_hub_that_is_none_is_refused_without_showing_a_token(variable: str) -> None:
    with pytest.raises(SettingInvalid, match=variable) as caught:
        load_hub({variable: "se cret"})

    if variable == "HF_TOKEN":
        assert "cret" not in caught.value.message
