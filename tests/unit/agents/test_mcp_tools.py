"""What an MCP server says, or does not say, is bounded."""

import asyncio
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from potok.agents.mcp_tools import McpServer, _list, mcp_tools
from potok.errors import ToolsUnavailable
from potok.limits import MCP_TOOLS_MAX


class Endless:
    """A server whose list never ends."""

    def __init__(self, *, tools_a_page: int) -> None:
        self._tools_a_page = tools_a_page

    async def list_tools(self, *, cursor: str | None = None) -> Any:
        return SimpleNamespace(tools=["tool"] * self._tools_a_page, next_cursor="more")


async def test_a_server_that_gives_page_after_page_is_not_asked_for_ever() -> None:
    full: Any = Endless(tools_a_page=50)
    empty: Any = Endless(tools_a_page=0)

    assert len(await _list(full)) == MCP_TOOLS_MAX
    assert await _list(empty) == []


async def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await reader.read()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server = McpServer(url=f"http://127.0.0.1:{port}/mcp", timeout_seconds=0.1)

    async with asyncio.timeout(10), listener:
        with pytest.raises(ToolsUnavailable):
            async with mcp_tools(server):
                pass
