"""Connects to what the settings name."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from avatar.settings import ToolSettings
from avatar.tools.toolbox import NoServerTools, ServerTools


@asynccontextmanager
async def server_tools(settings: ToolSettings) -> AsyncGenerator[ServerTools, None]:
    """The tools of the server's own; connections are held until the end."""
    if not settings.mcp:
        yield NoServerTools()
        return
    from avatar.tools.mcp_servers import McpServers  # its SDK takes a third of a second to load

    async with McpServers.running(settings.mcp) as servers:
        yield servers
