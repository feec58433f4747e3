"""`potok models`: what is listed, and how files come and go."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from potok.models.gguf import process
from potok.models.gguf.process import INSTALL_LINE
from tests.file_server import Manners, running_file_server
from tests.tiny_gguf import build_tiny_gguf
from tests.unit.cli.command import Ended, run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_tiny_gguf(tmp_path / "tiny.gguf", context_tokens=4096)


@pytest.fixture
def body(model: Path) -> bytes:
    return model.read_bytes()


def listed(tmp_path: Path, **environ: str) -> dict[str, Any]:
    ended = run("models", "--json", data_dir=str(tmp_path / "data"), **environ)
    assert ended.code == 0, ended.err
    report: dict[str, Any] = json.loads(ended.out)
    assert report["folder"] == str(tmp_path / "data" / "models")
    return {row["name"]: row for row in report["models"]}


def add(tmp_path: Path, *words: str) -> Ended:
    return run("models", "add", *words, data_dir=str(tmp_path / "data"))


def install(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    monkeypatch.setattr(process, "find_spec", lambda _: object() if is_there else None)


def test_a_fresh_machine_has_the_demo(tmp_path: Path) -> None:
    rows = listed(tmp_path)

    assert rows.keys() == {"demo"}
    assert rows["demo"]["available"]
    assert "tools" in rows["demo"]["capabilities"]


def test_a_file_is_added_listed_and_removed(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, True)

    added = add(tmp_path, str(model))
    rows = listed(tmp_path)
    removed = run("models", "remove", "tiny", data_dir=str(tmp_path / "data"))

    assert added.code == 0
    assert "potok chat --model gguf/tiny" in added.out
    assert rows["tiny"] == {
        "name": "tiny",
        "provider": "gguf",
        "kind": "gguf",
        "size_bytes": model.stat().st_size,
        "context_tokens": 4096,
        "capabilities": ["chat", "tools", "json", "embeddings"],
        "available": True,
        "why": None,
    }
    assert removed.code == 0
    assert "tiny" not in listed(tmp_path)
    assert model.exists()


def test_without_the_library_it_says_what_installs_it(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, False)

    added = add(tmp_path, str(model))
    row = listed(tmp_path)["tiny"]

    assert INSTALL_LINE in added.out
    assert not row["available"]
    assert INSTALL_LINE in row["why"]


def test_the_list_for_people_has_columns(tmp_path: Path, model: Path) -> None:
    add(tmp_path, str(model), "--name", "my-model")
    (tmp_path / "data" / "models" / "page.gguf").write_bytes(b"<html>")

    lines = run("models", data_dir=str(tmp_path / "data")).out.splitlines()

    assert lines[0].split() == ["MODEL", "PROVIDER", "KIND", "SIZE", "CAN"]
    assert lines[1].split()[:5] == ["my-model", "gguf", "gguf", "0.8", "MiB"]
    assert lines[2].endswith("the file is no model: it does not begin with the letters GGUF")
    assert lines[-1].startswith("demo")


def test_a_provider_that_does_not_answer_is_listed_with_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    row = listed(tmp_path)[""]

    assert (row["provider"], row["available"]) == ("openai", False)
    assert "cannot be reached" in row["why"]


REFUSED = [
    (("nothing/here.gguf",), "There is no file"),
    (("what is this",), "There is no file"),
    (("https://x.example/",), "cannot be a model's name"),
    (("{model}", "--name", "../up"), "cannot be a model's name"),
    (("{model}", "--sha256", "0" * 64), "has the checksum"),
    (("{page}",), "is no model"),
]


@pytest.mark.parametrize(("words", "wanted"), REFUSED)
def test_what_cannot_be_added_is_said(
    tmp_path: Path, model: Path, words: tuple[str, ...], wanted: str
) -> None:
    page = tmp_path / "page.gguf"
    page.write_bytes(b"<html>")

    ended = add(tmp_path, *(word.format(model=model, page=page) for word in words))

    assert ended.code == 1
    assert wanted in ended.err
    assert not list((tmp_path / "data").rglob("*.gguf*"))


def test_a_checksum_that_is_none_is_a_mistake_of_the_command(tmp_path: Path, model: Path) -> None:
    ended = add(tmp_path, str(model), "--sha256", "abc")

    assert ended.code == 2
    assert "64 digits" in ended.err


def test_what_is_not_there_cannot_be_removed(tmp_path: Path, model: Path) -> None:
    add(tmp_path, str(model))

    ended = run("models", "remove", "other", data_dir=str(tmp_path / "data"))

    assert ended.code == 1
    assert "There are: tiny." in ended.err


def test_removing_takes_the_rest_of_a_download_along(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    for name in ("m.gguf.part", "m.gguf.part.json", "m2.gguf.part"):
        (folder / name).write_bytes(b"GGUF")

    ended = run("models", "remove", "m", data_dir=str(tmp_path / "data"))

    assert ended.code == 0
    assert [path.name for path in folder.iterdir()] == ["m2.gguf.part"]


async def test_an_address_is_fetched(tmp_path: Path, body: bytes) -> None:
    async with running_file_server(body, Manners()) as server:
        url = f"{server.base}/files/m.gguf?download=1"

        ended = await asyncio.to_thread(add, tmp_path, url)

    assert ended.code == 0, ended.err
    assert (tmp_path / "data" / "models" / "m.gguf").read_bytes() == body


async def test_an_id_is_fetched_from_the_hub_and_its_checksum_is_checked(
    tmp_path: Path, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    manners = Manners(
        redirect="/cdn/blob",
        linked_etag=hashlib.sha256(body).hexdigest(),
        needs_token="Bearer hf_secret",
        paths={"/api/models/org/repo/revision/main": b'{"siblings":[{"rfilename":"q4.gguf"}]}'},
    )
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    async with running_file_server(body, manners) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"{server.base}/")

        ended = await asyncio.to_thread(add, tmp_path, "org/repo")

        # One hub and one store in this test: elsewhere the token would stay behind.
        assert [seen.path for seen in server.seen] == [
            "/api/models/org/repo/revision/main",
            "/org/repo/resolve/main/q4.gguf",
            "/cdn/blob",
        ]
    assert ended.code == 0, ended.err
    assert (tmp_path / "data" / "models" / "q4.gguf").read_bytes() == body


def test_a_wrong_hub_is_a_mistake_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "ftp://hub")

    ended = add(tmp_path, "org/repo:a.gguf")

    assert ended.code == 2
    assert "HF_ENDPOINT must be" in ended.err
