"""A small MCP server for tests, over stdio; with `--http PORT`, over streamable HTTP.

python tests/e2e/weather_server.py [--http PORT]
"""

import asyncio
import os
import sys

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("weather and time", log_level="ERROR")
CITIES = {"paris": "light rain, 14 degrees", "madrid": "sunny, 25 degrees"}


@server.tool()
async def weather(city: str) -> str:
    """The weather in a city."""
    found = CITIES.get(city.strip().lower())
    if found is None:
        raise ToolError(f"there is no weather station in {city}")
    return found


@server.tool()
async def time(city: str = "") -> str:
    """What time it is, here or in a city."""
    return "a quarter to four"


@server.tool()
async def slow(seconds: float) -> str:
    """Waits."""
    await asyncio.sleep(seconds)
    return "done"


@server.tool()
async def long(characters: int) -> str:
    """Says a lot."""
    return "x" * characters


@server.tool()
async def secret() -> str:
    """What the server was given."""
    return os.environ.get("WEATHER_KEY", "nothing")


@server.tool()
async def leave() -> str:
    """Ends the server in the middle of a call."""
    os._exit(1)


if __name__ == "__main__":
    if "--http" in sys.argv:
        server.run("streamable-http", port=int(sys.argv[sys.argv.index("--http") + 1]))
    else:
        server.run("stdio")
