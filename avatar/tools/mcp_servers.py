"""Tools of MCP servers: connected at start, offered while they live, called inside answers.

One task per server holds its connection, as the SDK's streams must be left by the task that entered
them. It lists the tools again every few seconds: that tells whether the server still lives, and
what it offers now. A server that is gone takes its tools with it, and is tried again, less and less
often.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CONNECTION_CLOSED,
    CallToolResult,
    Implementation,
    ListToolsResult,
    TextContent,
)
from mcp.types import Tool as McpTool

from avatar.settings import McpServer
from avatar.tools.schema import checked
from speech.errors import ToolError
from speech.types import Tool

_log = logging.getLogger(__name__)

CONNECT_S = 10.0
CHECK_EVERY_S = 10.0
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0
_MOST_PAGES = 10  # of a server's list
_US = Implementation(name="presencia", version="1")


@dataclass(slots=True)
class _Link:
    """One server, and what is known of it now.

    Attributes:
        client: There while it is connected.
        tools: What it offers, by the name that the model is given.
        left_out: Tools that can't be offered, and were told of.
        doubted: Set when a call has met a closed connection.
        tried: Set once it is known whether it can be reached.
    """

    name: str
    settings: McpServer
    client: Client | None = None
    tools: dict[str, tuple[Tool, str]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    doubted: asyncio.Event = field(default_factory=asyncio.Event)
    tried: asyncio.Event = field(default_factory=asyncio.Event)


class McpServers:
    """The tools of the configured servers. `running` makes it.

    A tool is offered as `server_tool`. Only that name comes from the model: the server, its
    command and its address come from the settings.
    """

    def __init__(self, servers: Mapping[str, McpServer]) -> None:
        self._links = [_Link(name, settings) for name, settings in servers.items()]

    @classmethod
    @asynccontextmanager
    async def running(cls, servers: Mapping[str, McpServer]) -> "AsyncGenerator[McpServers, None]":
        """Connect to the servers, and hold the connections until the end.

        Those that can't be reached within some seconds are waited for no longer, and tried again.
        """
        found = cls(servers)
        async with asyncio.TaskGroup() as tasks:
            holding = [
                tasks.create_task(_hold(link), name=f"mcp-{link.name}") for link in found._links
            ]
            for link in found._links:
                await link.tried.wait()
            try:
                yield found
            finally:
                for task in holding:
                    task.cancel()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Those of the servers that are connected now."""
        return tuple(tool for link in self._links for tool, _ in link.tools.values())

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Run one, and return what it says, as text.

        Raises:
            ToolError: It failed. `retryable`: it could not be reached, or took too long.
        """
        for link in self._links:
            if link.client is not None and name in link.tools:
                return await _call(link, link.client, link.tools[name][1], arguments)
        raise ToolError(f"The tool '{name}' is not there at the moment.", retryable=True)


async def _hold(link: _Link) -> None:
    """Keep one server connected, for ever."""
    retry_s = FIRST_RETRY_S
    while True:
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(CONNECT_S):
                    link.client = await stack.enter_async_context(_client(link.settings, stack))
                    await _list(link, link.client)
                _log.info("MCP server '%s' offers %d tools", link.name, len(link.tools))
                retry_s = FIRST_RETRY_S
                link.tried.set()
                await _watch(link, link.client)
        except* Exception as problem:  # noqa: BLE001 - whatever the SDK, the network or the
            # server's program come up with, only this server's tools are gone.
            _log.warning(
                "MCP server '%s' is not there (%s): its tools are not offered; next try in %g s. "
                "Check tools.mcp.%s in the settings.",
                link.name,
                _first(problem),
                retry_s,
                link.name,
            )
        finally:
            link.client, link.tools = None, {}
            link.tried.set()
        await asyncio.sleep(retry_s)
        retry_s = min(LAST_RETRY_S, 2 * retry_s)


async def _watch(link: _Link, client: Client) -> None:
    """List the tools again and again; fails when the server does."""
    while True:
        link.doubted.clear()
        try:
            async with asyncio.timeout(CHECK_EVERY_S):
                await link.doubted.wait()
        except TimeoutError:
            pass
        async with asyncio.timeout(CONNECT_S):
            await _list(link, client)


async def _list(link: _Link, client: Client) -> None:
    found: list[McpTool] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page: ListToolsResult = await client.list_tools(cursor=cursor, cache_mode="bypass")
        found.extend(page.tools)
        cursor = page.next_cursor
        if not cursor:
            break
    only = link.settings.only
    link.tools = dict(
        offered for tool in found if not only or tool.name in only for offered in _offer(link, tool)
    )


def _offer(link: _Link, tool: McpTool) -> list[tuple[str, tuple[Tool, str]]]:
    """A tool as the model sees it, by its name; none if it can't be offered."""
    name = f"{link.name}_{tool.name}"
    offered = Tool(name, (tool.description or tool.title or "")[:2000], tool.input_schema)
    try:
        checked([offered])
    except ToolError as error:
        if name not in link.left_out:
            link.left_out.add(name)
            _log.warning("MCP server '%s': a tool is left out: %s", link.name, error)
        return []
    return [(name, (offered, tool.name))]


async def _call(link: _Link, client: Client, name: str, arguments: Mapping[str, Any]) -> str:
    limit_s = link.settings.timeout_s
    try:
        async with asyncio.timeout(limit_s):
            result = await client.call_tool(name, dict(arguments))
    except TimeoutError as error:
        raise ToolError(f"{link.name} took more than {limit_s:g} s.", retryable=True) from error
    except MCPError as error:
        if error.code != CONNECTION_CLOSED:
            raise ToolError(f"{link.name}: {error.message[:200]}") from error
        link.doubted.set()
        raise ToolError(f"{link.name} hung up.", retryable=True) from error
    except Exception as error:
        link.doubted.set()
        raise ToolError(f"{link.name} can't be used: {error!r:.200}.", retryable=True) from error
    text = _text(result)[: link.settings.max_result_chars]
    if result.is_error:
        raise ToolError(text or f"{link.name} failed.")
    return text or "Done."


def _text(result: CallToolResult) -> str:
    """What a result says; pictures and sound are no words."""
    parts = [
        part.text if isinstance(part, TextContent) else f"[{part.type}]" for part in result.content
    ]
    return "\n".join(parts)


def _client(settings: McpServer, stack: AsyncExitStack) -> Client:
    """A client for one server; what it needs is freed with `stack`."""
    if settings.command:
        program, *arguments = settings.command
        passed = {name: os.environ[name] for name in settings.pass_env if name in os.environ}
        parameters = StdioServerParameters(
            command=program, args=arguments, env=passed | settings.env
        )
        return Client(parameters, client_info=_US)
    secrets = {name: value.get_secret_value() for name, value in settings.headers.items()}
    http = httpx2.AsyncClient(headers=secrets, timeout=httpx2.Timeout(settings.timeout_s + 5))
    stack.push_async_callback(http.aclose)
    return Client(streamable_http_client(settings.url, http_client=http), client_info=_US)


def _first(problem: BaseException) -> str:
    """The first error of a (nested) group, in a line."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return " ".join(f"{type(problem).__name__}: {problem}".split())[:200]
