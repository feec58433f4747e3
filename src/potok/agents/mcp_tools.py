"""Tools of MCP servers (Model Context Protocol), as an agent's own; the extra `mcp`.

async with mcp_tools(McpServer(url="http://127.0.0.1:9000/mcp")) as tools:
await say_with_tools(current_node(), messages, tools)
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from potok.agents.tools import Tool
from potok.errors import ToolFailed, ToolsUnavailable
from potok.events.run_request import JsonObject
from potok.limits import MCP_TOOLS_MAX, TOOL_SECONDS_MAX

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import Tool as RemoteTool

__all__ = ["McpServer", "mcp_tools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """Where an MCP server is: a command to start (stdio), or an address (streamable HTTP).

    Args:
        command: The program and its arguments; `environment` is all that it gets of one.
        url: As `http://127.0.0.1:9000/mcp`.
        prefix: Set before the names of its tools, where two servers have tools of one name.
        timeout_seconds: Of one call, and of the greeting before the first.
        is_repeatable: Whether its tools may be called again when a crash leaves open if one was
            done. A server's own word on a tool (`idempotentHint`, `readOnlyHint`) counts, too.
    """

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    prefix: str = ""
    timeout_seconds: float = TOOL_SECONDS_MAX
    is_repeatable: bool = False


@asynccontextmanager
async def mcp_tools(server: McpServer) -> AsyncGenerator[tuple[Tool, ...], None]:
    """Hold a connection to a server, and give its tools; enter and leave it in one task.

    Raises:
        ToolsUnavailable: the extra is not installed, or nobody answers as an MCP server does.
    """
    client = _client_of(server)
    try:
        async with asyncio.timeout(server.timeout_seconds):
            await client.__aenter__()
    except Exception as error:
        raise _unavailable(error) from error
    try:
        try:
            async with asyncio.timeout(server.timeout_seconds):
                listed = await _list(client)
        except Exception as error:
            raise _unavailable(error) from error
        yield tuple(_tool_of(server, client, remote) for remote in listed)
    finally:
        await client.__aexit__(None, None, None)


def _client_of(server: McpServer) -> "Client":
    try:
        from mcp import Client, StdioServerParameters
    except ModuleNotFoundError as error:
        raise ToolsUnavailable(
            "Tools of MCP servers need the extra `mcp`: pip install -e '.[mcp]' in a checkout."
        ) from error
    if (server.url is None) == (not server.command):
        raise ToolsUnavailable("An MCP server needs either a command or a url.")
    if server.url is not None:
        return Client(server.url, read_timeout_seconds=server.timeout_seconds)
    parameters = StdioServerParameters(
        command=server.command[0], args=list(server.command[1:]), env=dict(server.environment)
    )
    return Client(parameters, read_timeout_seconds=server.timeout_seconds)


async def _list(client: "Client") -> "list[RemoteTool]":
    found: list[RemoteTool] = []
    cursor: str | None = None
    # Each page has a tool, or a server could give empty ones for ever.
    for _ in range(MCP_TOOLS_MAX):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None or len(found) >= MCP_TOOLS_MAX:
            break
    return found[:MCP_TOOLS_MAX]


def _tool_of(server: McpServer, client: "Client", remote: "RemoteTool") -> Tool:
    async def call(arguments: JsonObject) -> Any:
        result = await client.call_tool(remote.name, arguments)
        given = result.structured_content
        if given is None:
            texts = [part.text for part in result.content if part.type == "text"]
            given = texts[0] if len(texts) == 1 else texts
        if result.is_error:
            raise ToolFailed(str(given)[:1_000])
        return given

    hints = remote.annotations
    is_harmless = hints is not None and bool(hints.read_only_hint or hints.idempotent_hint)
    return Tool(
        name=f"{server.prefix}{remote.name}",
        description=remote.description or "",
        parameters=dict(remote.input_schema),
        call=call,
        timeout_seconds=server.timeout_seconds,
        is_repeatable=server.is_repeatable or is_harmless,
    )


def _unavailable(error: Exception) -> ToolsUnavailable:
    while isinstance(error, ExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return ToolsUnavailable(f"The MCP server does not answer ({type(error).__name__}).")
