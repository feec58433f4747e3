"""The command line as people use it: real processes, real terminals, real signals."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from tests.integration.harness import events_of, free_port, running_server, start_run
from tests.integration.terminal import Typist, typing_into

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

LONG_PROMPT = "Count to 500"
T = TypeVar("T")


async def begin(command: str, **environ: str) -> asyncio.subprocess.Process:
    """Start a line as a shell would."""
    return await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        executable="/bin/bash",
        env={**os.environ, **environ},
    )


async def shell(command: str, **environ: str) -> tuple[int, str, str]:
    """Run a line to its end; return status, stdout and stderr."""
    process = await begin(command, **environ)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def potok(words: str) -> str:
    return f"{sys.executable} -m potok {words}"


async def test_the_commands_that_serve_prints_work_when_they_are_pasted(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        block = "\n".join(server.lines)
        pasted = block[block.index("curl -N") :].partition("Ctrl-C stops")[0]
        status, out, _ = await shell(pasted.replace("curl ", "curl -sS --max-time 20 "))

    assert status == 0
    assert "data: [DONE]" in out
    assert "event: run-end" in out


async def test_a_taken_port_is_said_with_its_owner_and_a_free_one(tmp_path: Path) -> None:
    async with running_server(tmp_path / "one") as server:
        status, out, err = await shell(
            potok("serve"), POTOK_PORT=str(server.port), POTOK_DATA_DIR=str(tmp_path / "two")
        )

    assert (status, out) == (1, "")
    assert f"(process {server.process_id})" in err
    assert "It is a Potok server" in err
    assert "potok serve --port " in err


async def test_on_a_terminal_the_free_port_can_be_taken_with_a_key(tmp_path: Path) -> None:
    async with running_server(tmp_path / "one") as server:
        words = ("serve", "--port", str(server.port), "--data-dir", str(tmp_path / "two"))
        async with typing_into(*words) as person:
            await person.sees(r"Use port \d+ instead\? \[y/N\] ")
            person.types("y\r")
            await person.sees("is ready at")
            person.types("\x03")
            status = await person.ended()

    assert status == 0


async def test_no_key_leaves_the_port_alone(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "one") as server,
        typing_into("serve", "--port", str(server.port)) as person,
    ):
        await person.sees(r"\[y/N\] ")
        person.types("\r")
        status = await person.ended()

    assert status == 1


async def test_the_data_folder_of_another_server_is_left_alone(tmp_path: Path) -> None:
    async with running_server(tmp_path):
        status, _, err = await shell(
            potok(f"serve --port {free_port()}"), POTOK_DATA_DIR=str(tmp_path)
        )

    assert status == 1
    assert "is in use by another Potok" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_it_leaves_within_five_seconds_with_a_reader_and_says_what_goes_on(
    tmp_path: Path, sent: signal.Signals
) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        events = events_of(client, await start_run(client, LONG_PROMPT))
        await anext(events)
        async with asyncio.timeout(5):
            status = await server.stop(sent)

    assert status == 0
    assert "Stopping. One unfinished answer goes on at the next start." in server.lines


async def test_a_chat_stops_an_answer_and_goes_on(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        async with typing_into("chat", "--url", server.url) as person:
            await person.sees("You: ")
            person.types(f"{LONG_PROMPT}\r")
            await person.sees("1, 2, 3, 4")
            person.types("\x03")
            await person.sees("was stopped; what stands there is kept")
            await person.sees("You: ")
            person.types("Repeat after me: still here\r")
            answer = await person.sees("still here(?s:.*)still here\n")
            await person.sees("You: ")
            person.types("\x04")
            status = await person.ended()
        listed = httpx.get(f"{server.url}/api/runs", params={"status": "cancelled"}).json()

    assert status == 0
    assert "Assistant: " in answer
    assert len(listed["items"]) == 1


async def press_ctrl_c(person: Typist, until: Callable[[], Awaitable[T]]) -> T:
    """Press Ctrl-C until it shows: Python loses one that comes while its prompt is being drawn."""
    for _ in range(5):
        person.types("\x03")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                return await until()
    raise AssertionError("Ctrl-C changed nothing")


async def test_ctrl_c_at_the_prompt_asks_for_a_second_one(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        typing_into("chat", "--url", server.url) as person,
    ):
        await person.sees("You: ")
        await press_ctrl_c(person, lambda: person.sees("press Ctrl-C again to quit"))
        await person.sees("You: ")
        status = await press_ctrl_c(person, person.ended)

    assert status == 130


async def test_thinking_stands_before_the_answer_on_a_terminal_only(tmp_path: Path) -> None:
    question = "What is 17 * 23?"
    async with running_server(tmp_path) as server:
        async with typing_into("chat", "--think", "--url", server.url) as person:
            await person.sees("You: ")
            person.types(f"{question}\r")
            shown = await person.sees(r"391(?s:.*)You: ")
        _, piped, _ = await shell(
            f"echo '{question}' | {potok(f'chat --think --url {server.url}')}"
        )

    assert len(piped.splitlines()[0]) < len(shown)
    assert piped.strip() in shown
    assert shown.index("(demo)") < shown.index(piped.strip())


async def test_a_chat_survives_the_death_of_its_server(tmp_path: Path) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="100") as server:
        chat = await begin(f"echo 'Count to 200' | {potok(f'chat --url {server.url}')}")
        assert chat.stdout is not None
        begun = await chat.stdout.readuntil(b"20, ")
        await server.kill()
        server.lines.clear()
        await server.start()
        rest, err = await chat.communicate()

    assert chat.returncode == 0
    counted = ", ".join(str(number) for number in range(1, 201))
    assert (begun + rest).decode() == f"{counted}.\n"
    assert "The connection is back." in err.decode()


async def test_a_reader_of_tail_that_has_enough_is_no_failure(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            run = await start_run(client, LONG_PROMPT)
        command = potok(f"tail {run} --format events --url {server.url}")
        _, out, err = await shell(f"set -o pipefail; {command} | head -n 3")

    assert [line.split()[1] for line in out.splitlines()] == [
        "run-start",
        "text-start",
        "text-delta",
    ]
    assert err == ""


async def test_bytes_that_are_no_text_are_answered_too(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        chat = potok(f"chat --url {server.url}")
        status, out, err = await shell(f"printf 'Repeat after me: Привет \\xff\\n' | {chat}")

    assert (status, err) == (0, "")
    assert "Привет" in out


async def test_doctor_finds_nothing_wrong_with_a_running_server(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        status, out, _ = await shell(
            potok("doctor"), POTOK_PORT=str(server.port), POTOK_DATA_DIR=str(tmp_path)
        )

    assert status == 0
    assert "in use by a running server" in out
    assert "events came one after the other" in out
