"""Folders of model files: what is served, under which name, and what is not."""

from pathlib import Path

import pytest

from potok.models.gguf.files import Shelf, name_of
from tests.tiny_gguf import build_tiny_gguf


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("qwen3-8b-q4_k_m.gguf", "qwen3-8b-q4_k_m"),
        ("big-00001-of-00003.gguf", "big"),
        ("two-2-of-3.gguf", "two-2-of-3"),
    ],
)
def test_a_model_is_called_as_its_file(file: str, name: str) -> None:
    assert name_of(Path("/models") / file) == name


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert Shelf(tmp_path / "none").find() == ((), ())


def test_a_folder_shows_its_models_those_for_chats_first(tmp_path: Path) -> None:
    build_tiny_gguf(tmp_path / "a-vectors.gguf", pools=True)
    build_tiny_gguf(tmp_path / "b-chat.gguf")
    (tmp_path / "b-chat.gguf.part").write_bytes(b"GGUF")
    (tmp_path / "notes.txt").write_text("no model")

    models, broken = Shelf(tmp_path).find()

    assert [model.name for model in models] == ["b-chat", "a-vectors"]
    assert broken == ()


def test_a_file_alone_is_a_place_too(tmp_path: Path) -> None:
    path = build_tiny_gguf(tmp_path / "one.gguf")

    models, _ = Shelf(path).find()

    assert [(model.name, model.size_bytes) for model in models] == [("one", path.stat().st_size)]


def test_a_broken_file_is_named_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_bytes(b"<html>")

    models, broken = Shelf(tmp_path).find()

    assert models == ()
    assert [(one.name, one.why) for one in broken] == [
        ("page", "is no model: it does not begin with the letters GGUF")
    ]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"not yet")
    shelf = Shelf(tmp_path)
    assert shelf.find()[0] == ()

    build_tiny_gguf(path)

    assert [model.name for model in shelf.find()[0]] == ["m"]
