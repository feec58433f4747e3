"""Tools of real MCP servers: one that is started, one that is called over HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from potok.agents.mcp_tools import McpServer, mcp_tools
from potok.errors import ToolFailed, ToolsUnavailable
from tests.integration.harness import free_port

pytestmark = pytest.mark.integration

SERVER = '''
import sys
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")

@server.tool()
def price(name: str) -> dict[str, int]:
    """The price of a piece."""
    if name == "crown":
        raise ValueError("not for sale")
    return {"rub": 4900}

if len(sys.argv) > 1:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
else:
    server.run("stdio")
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(SERVER)
    return path


async def test_a_server_that_is_started_gives_its_tools(script: Path) -> None:
    async with mcp_tools(McpServer(command=(sys.executable, str(script)))) as tools:
        (price,) = tools
        result = await price.call({"name": "ring"})

    assert (price.name, price.description) == ("price", "The price of a piece.")
    assert price.parameters["required"] == ["name"]
    assert result == {"rub": 4900}


@asynccontextmanager
async def served(script: Path) -> AsyncIterator[str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()


async def test_a_server_at_an_address_gives_its_tools_under_a_prefix(script: Path) -> None:
    async with served(script) as url, mcp_tools(McpServer(url=url, prefix="shop_")) as tools:
        (price,) = tools
        result = await price.call({"name": "ring"})

    assert (price.name, result) == ("shop_price", {"rub": 4900})


async def test_a_tool_that_fails_says_so(script: Path) -> None:
    async with mcp_tools(McpServer(command=(sys.executable, str(script)))) as tools:
        with pytest.raises(ToolFailed):
            await tools[0].call({"name": "crown"})


@pytest.mark.parametrize(
    "server",
    [
        McpServer(url="http://127.0.0.1:9/mcp"),
        McpServer(command=("/nowhere/at/all",)),
        McpServer(),
    ],
)
async def test_a_server_that_is_not_there_is_said(server: McpServer) -> None:
    with pytest.raises(ToolsUnavailable):
        async with mcp_tools(server):
            pass
