"""Files of this machine that become models: linked, else copied, and never harmed."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from potok.errors import ModelFileRefused
from potok.models.gguf.arrival import Arrival
from tests.tiny_gguf import build_tiny_gguf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_tiny_gguf(tmp_path / "original.gguf")


@pytest.fixture
def arrival(folder: Path) -> Iterator[Arrival]:
    opened = Arrival.open(folder, "m")
    yield opened
    opened.close()


def nobody_looks(_: int) -> None:
    """Take a progress that nobody looks at."""


def test_a_file_of_the_same_disk_is_linked(arrival: Arrival, model: Path, folder: Path) -> None:
    arrival.take(model, sha256=None, advance=nobody_looks)

    assert os.path.samefile(arrival.target, model)
    assert [path.name for path in folder.iterdir()] == ["m.gguf"]


def test_a_file_of_another_disk_is_copied(
    arrival: Arrival, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: Any, target: Any) -> None:
        if Path(source).name == "original.gguf":
            raise OSError(18, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    seen: list[int] = []

    arrival.take(model, sha256=None, advance=seen.append)

    assert arrival.target.read_bytes() == model.read_bytes()
    assert seen[-1] == model.stat().st_size
    assert [path.name for path in folder.iterdir()] == ["m.gguf"]


def test_a_right_checksum_is_enough(arrival: Arrival, model: Path) -> None:
    checksum = hashlib.sha256(model.read_bytes()).hexdigest()

    arrival.take(model, sha256=checksum, advance=nobody_looks)

    assert arrival.target.exists()


def test_a_wrong_checksum_leaves_only_the_original(
    arrival: Arrival, model: Path, folder: Path
) -> None:
    with pytest.raises(ModelFileRefused, match="has the checksum"):
        arrival.take(model, sha256="0" * 64, advance=nobody_looks)

    assert model.exists()
    assert list(folder.iterdir()) == []


def test_what_is_no_model_stays_outside(arrival: Arrival, tmp_path: Path, folder: Path) -> None:
    page = tmp_path / "page.gguf"
    page.write_bytes(b"<html>")

    with pytest.raises(ModelFileRefused, match="is no model"):
        arrival.take(page, sha256=None, advance=nobody_looks)

    assert page.exists()
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")

    with pytest.raises(ModelFileRefused, match="cannot be written"):
        Arrival.open(tmp_path / "models", "m")
