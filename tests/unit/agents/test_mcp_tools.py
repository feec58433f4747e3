"""The list of an MCP server's tools is bounded, whatever the server says."""

from types import SimpleNamespace
from typing import Any

from potok.agents.mcp_tools import _list
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
