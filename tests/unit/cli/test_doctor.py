import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.command import Ended, run
from tests.unit.cli.fake_server import Script, deltas, playing

SECRET = "sk-very-secret-1234"


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def examine(tmp_path: Path, *words: str, **environ: str) -> tuple[Ended, dict[str, list[Any]]]:
    given = {"data_dir": str(tmp_path / "data"), "port": free_port(), **environ}
    ended = run("doctor", "--json", *words, **given)
    report = json.loads(ended.out)
    found: dict[str, list[Any]] = {}
    for check in report["checks"]:
        found.setdefault(check["name"], []).append(check)
    assert report["ok"] is (ended.code == 0)
    return ended, found


def test_a_fresh_machine_has_no_problem_but_no_model_either(tmp_path: Path) -> None:
    ended, found = examine(tmp_path)

    assert ended.code == 0
    assert {name: checks[0]["state"] for name, checks in found.items()} == {
        "python": "ok",
        "settings": "ok",
        "data folder": "ok",
        "event log": "ok",
        "providers": "warning",
        "port": "ok",
    }
    assert "OPENAI_API_KEY" in found["providers"][0]["advice"]
    assert not (tmp_path / "data").exists()


def test_wrong_settings_are_listed_and_nothing_else_is_looked_at(tmp_path: Path) -> None:
    ended, found = examine(tmp_path, durability="fast", prot="1")

    assert ended.code == 1
    assert [check["state"] for check in found["settings"]] == ["problem", "problem"]
    assert set(found) == {"python", "settings"}


def test_keys_are_set_or_not_set_and_never_shown(tmp_path: Path) -> None:
    ended, found = examine(tmp_path, api_key=SECRET)

    assert "POTOK_API_KEY is set, OPENAI_API_KEY is not set" in found["settings"][0]["detail"]
    assert SECRET not in ended.out + ended.err


def test_a_data_folder_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    ended, found = examine(tmp_path)

    assert ended.code == 1
    assert found["data folder"][0]["state"] == "problem"
    assert "POTOK_DATA_DIR" in found["data folder"][0]["advice"]


@pytest.mark.parametrize(
    ("content", "fault"), [(b"no database at all, but a text" * 40, "cannot be read")]
)
def test_a_log_that_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "runs.sqlite3").write_bytes(content)

    ended, found = examine(tmp_path)

    assert ended.code == 1
    assert fault in found["event log"][0]["detail"]
    assert "Keep a copy" in found["event log"][0]["advice"]


def test_a_taken_port_is_a_problem_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        port = other.getsockname()[1]
        ended, found = examine(tmp_path, port=str(port))

    assert ended.code == 1
    assert "already taken" in found["port"][0]["detail"]
    assert "--port" in found["port"][0]["advice"]


def test_an_unreachable_provider_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{free_port()}/v1")

    ended, found = examine(tmp_path)

    assert ended.code == 1
    assert found["provider"][0]["state"] == "problem"


def test_the_models_of_a_provider_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with playing(Script()) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        _, found = examine(tmp_path)

    assert found["provider"][0]["state"] == "ok"
    assert "models: 1" in found["provider"][0]["detail"]


def test_a_running_server_is_looked_at_instead_of_its_port(tmp_path: Path) -> None:
    with playing(Script()) as url:
        ended, found = examine(tmp_path, port=url.rpartition(":")[2])

    assert ended.code == 0
    assert [found[name][0]["state"] for name in ("server", "access")] == ["ok", "ok"]
    assert "port" not in found


def test_events_that_come_all_at_once_are_a_warning(tmp_path: Path) -> None:
    with playing(Script(events=deltas("1", "2", "3"))) as url:
        _, found = examine(tmp_path, "--url", url)

    assert found["streaming"][0]["state"] == "warning"
    assert "buffering" in found["streaming"][0]["advice"]


def test_a_server_that_refuses_our_key_is_a_problem(tmp_path: Path) -> None:
    asks = (401, "unauthorized", "This server asks for its key.")
    with playing(Script(refusals=[None, asks])) as url:
        ended, found = examine(tmp_path, "--url", url)

    assert ended.code == 1
    assert found["server"][0]["state"] == "ok"
    assert found["access"][0]["detail"] == "This server asks for its key."


def test_a_stranger_at_the_address_is_a_problem(tmp_path: Path) -> None:
    with playing(Script(is_potok=False)) as url:
        ended, found = examine(tmp_path, "--url", url)

    assert ended.code == 1
    assert "no Potok server" in found["server"][0]["detail"]


def test_for_people_each_check_is_a_line_with_its_advice_below(tmp_path: Path) -> None:
    ended = run("doctor", data_dir=str(tmp_path), port=free_port())

    lines = ended.out.splitlines()
    assert lines[0].startswith("ok       python       Python ")
    place = next(number for number, line in enumerate(lines) if line.startswith("warning"))
    assert lines[place + 1].strip().startswith("-> Set OPENAI_API_KEY")
