"""The examples in `docs/clients`, run as their readers would run them."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.integration.harness import Server, running_server
from tests.integration.lasting import lasting
from tests.integration.pages import FOLDER, pages
from tests.peers.node import PEERS, NodePeer

PAGES = pages()
# Slow enough to be left in the middle.
TOKENS_PER_SECOND = "150"
SECONDS_MAX = 40
# How often a page's program prints the whole answer, and what it prints else.
PRINTED: dict[str, tuple[int, list[str]]] = {
    "ai-sdk": (4, ["sunny in Perm", "city: 'Perm', days: 3"]),
    "curl": (1, ["the network is gone", "event: run-end", '"status":"cancelled"']),
    "langchain": (2, ['"status":"cancelled"']),
    "llm-cli": (1, ["Anna", '{"city":"Perm","days":3}', '"status":"']),
    "openai-compatible": (1, ['"object":"list"']),
    "openai-node": (4, ["cancelled"]),
    "openai-python": (4, ["cancelled"]),
    "websockets": (1, ["cancelled"]),
}
# Which packages of `tests/peers` stand for the ones that a page names.
NODE_PAGES = {
    "ai-sdk": {
        version: {
            '"ai"': f'"ai{version}"',
            '"@ai-sdk/openai-compatible"': f'"compatible{version}"',
        }
        for version in ("6", "7")
    },
    "openai-node": {version: {'"openai"': f'"openai{version}"'} for version in ("6", "7")},
}
IN_A_BROWSER = {"eventsource", "use-chat"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, pace = tmp_path_factory.mktemp("pages"), TOKENS_PER_SECOND
    with lasting(lambda: running_server(folder, POTOK_DEMO_TOKENS_PER_SECOND=pace)) as server:
        yield server


@pytest.fixture(scope="module")
def answer(server: Server) -> str:
    """What the demo model says to the question of the pages."""
    asked = {"messages": [{"role": "user", "content": "What is Potok?"}]}
    reply = httpx.post(f"{server.url}/api/chat", json=asked, timeout=30)
    told: str = reply.json()["message"]
    return told


async def printed_by(*command: str, folder: Path, **environment: str) -> str:
    """Run a program to its end and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, printed.decode() + complaints.decode()
    return printed.decode()


def check(page: str, printed: str, answer: str) -> None:
    times, others = PRINTED[page]
    assert printed.count(answer) == times, printed
    assert [one for one in others if one not in printed] == [], printed


def test_every_page_has_its_place() -> None:
    listed = set(re.findall(r"\]\((\S+)\.md\)", (FOLDER / "README.md").read_text()))

    assert listed == set(PAGES) == set(PRINTED) | IN_A_BROWSER


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_says_how_to_begin_to_come_back_and_to_stop(name: str) -> None:
    text = PAGES[name].text

    assert "127.0.0.1:8000" in text
    assert re.search(r"^## .*[Cc]ome back", text, re.MULTILINE) or name in IN_A_BROWSER
    assert re.search(r"^## .*[Ss]top", text, re.MULTILINE) or name in IN_A_BROWSER
    assert re.search(r"^## The one thing that (it|they) cannot do$", text, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_a_page_installs_is_what_is_tested(name: str) -> None:
    installs = PAGES[name].installs
    locked = "".join(file.read_text() for file in PEERS.glob("*/package.json"))

    assert [one for one in installs.get("pip", []) if not version(one)] == []
    assert [
        one
        for one in installs.get("npm", [])
        if f'"{one}":' not in locked and f"npm:{one}@" not in locked
    ] == []


def test_the_list_names_the_versions_that_are_tested() -> None:
    table = (FOLDER / "README.md").read_text()
    locked = "".join(file.read_text() for file in PEERS.glob("*/package.json"))
    told = re.findall(r"`([^`]+)` (\d+)(?: and (\d+))?", table)
    tested = {
        package: {int(one) for one in re.findall(rf"npm:{package}@(\d+)", locked)}
        for package, *_ in told
    }

    assert len(told) >= 8
    for package, *majors in told:
        wanted = {int(major) for major in majors if major}
        if package == "openai" and wanted == {int(version("openai").split(".")[0])}:
            continue
        assert wanted == (tested[package] or {int(version(package).split(".")[0])}), package


@pytest.mark.parametrize(
    "name", sorted(name for name in PRINTED if "python" in PAGES[name].languages)
)
async def test_the_python_of_a_page_works(
    tmp_path: Path, server: Server, answer: str, name: str
) -> None:
    program = PAGES[name].program("python", address=f"127.0.0.1:{server.port}", key=name)

    printed = await printed_by(sys.executable, "-c", program, folder=tmp_path)

    check(name, printed, answer)


@pytest.mark.parametrize(
    "name", sorted(name for name in PRINTED if PAGES[name].languages == {"sh"})
)
async def test_the_commands_of_a_page_work(
    tmp_path: Path, server: Server, answer: str, name: str
) -> None:
    program = PAGES[name].program("sh", address=f"127.0.0.1:{server.port}")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    printed = await printed_by(
        *("bash", "-e", "-u", "-c", program),
        folder=tmp_path,
        PATH=path,
        LLM_USER_PATH=str(tmp_path),
    )

    check(name, printed, answer)


@pytest.mark.parametrize(
    ("name", "major"), [(name, major) for name in NODE_PAGES for major in NODE_PAGES[name]]
)
async def test_the_javascript_of_a_page_works(
    request: pytest.FixtureRequest, server: Server, answer: str, name: str, major: str
) -> None:
    peer: NodePeer = request.getfixturevalue(name.replace("-", "_"))
    address, key = f"127.0.0.1:{server.port}", f"{name}-{major}"
    program = PAGES[name].program("js", address=address, key=key)
    for package, alias in NODE_PAGES[name][major].items():
        assert package in program
        program = program.replace(f"from {package}", f"from {alias}")
    (peer.folder / f"page-{major}.mjs").write_text(program)

    printed = await peer.output(f"page-{major}.mjs")

    check(name, printed, answer)


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/assistants", "/v1/files", "/v1/nothing"])
async def test_what_is_not_served_is_said_in_the_shape_of_openai(server: Server, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        reply = await client.post(path, json={})

    assert reply.status_code == 404
    assert reply.json()["error"]["type"] == "invalid_request_error"
