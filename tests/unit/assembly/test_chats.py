from pathlib import Path

import pytest

from potok.assembly.chats import CHATS_FILE, check_chats
from potok.assembly.settings import load_settings
from potok.errors import DatabaseUnusable, SettingInvalid


@pytest.mark.parametrize("url", ["postgresql://u:secret@h/d", "postgres://h/d", "sqlite:///x.db"])
def test_databases_are_taken_by_their_urls(url: str) -> None:
    settings = load_settings({"POTOK_DATABASE_URL": f" {url}\n"})

    assert settings.chats.database_url is not None
    assert settings.chats.database_url.get_secret_value() == url
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "secret", "postgres:"])
def test_other_databases_are_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        load_settings({"POTOK_DATABASE_URL": url})

    assert refused.value.message.startswith("POTOK_DATABASE_URL must be postgresql://")
    assert "secret" not in refused.value.message


def test_a_file_that_is_none_of_chats_is_refused_before_anything_opens(tmp_path: Path) -> None:
    settings = load_settings({"POTOK_DATA_DIR": str(tmp_path)})
    check_chats(settings)
    (tmp_path / CHATS_FILE).write_text("something else")

    with pytest.raises(DatabaseUnusable):
        check_chats(settings)
