"""MCP servers for real: processes of their own, over stdio and over HTTP."""

import asyncio
import logging
import socket
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from pydantic import SecretStr

from avatar.settings import McpServer
from avatar.tools import mcp_servers
from avatar.tools.mcp_servers import McpServers
from speech.errors import ToolError

pytestmark = pytest.mark.e2e

SERVER = str(Path(__file__).with_name("weather_server.py"))
STDIO = McpServer(command=[sys.executable, SERVER])


def run(scenario):
    asyncio.run(asyncio.wait_for(scenario(), 90))


async def until(condition):
    while not condition():  # noqa: ASYNC110 - another process decides
        await asyncio.sleep(0.05)


@asynccontextmanager
async def http_server(port):
    process = await asyncio.create_subprocess_exec(sys.executable, SERVER, "--http", str(port))
    try:
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/mcp")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def names(servers):
    return {tool.name for tool in servers.tools}


def test_a_command_is_started_and_its_tools_are_called():
    async def scenario():
        async with McpServers.running({"home": STDIO}) as servers:
            assert {"home_weather", "home_time"} <= names(servers)
            weather = next(tool for tool in servers.tools if tool.name == "home_weather")
            assert weather.description == "The weather in a city."
            assert weather.parameters["required"] == ["city"]
            assert await servers.call("home_weather", {"city": "Paris"}) == "light rain, 14 degrees"

    run(scenario)


def test_a_url_is_connected_to_with_its_headers():
    async def scenario():
        port = free_port()
        seen = []

        async def relay(reader, writer):
            """A proxy that notes what it is sent."""
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)

            async def pump(source, sink, note):
                while data := await source.read(65536):
                    if note:
                        seen.append(data)
                    sink.write(data)
                    await sink.drain()
                sink.close()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pump(reader, up_writer, True))
                tasks.create_task(pump(up_reader, writer, False))

        async with http_server(port):
            proxy = await asyncio.start_server(relay, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}/mcp"
            settings = McpServer(url=url, headers={"authorization": SecretStr("Bearer hush")})
            async with McpServers.running({"web": settings}) as servers:
                assert await servers.call("web_time", {}) == "a quarter to four"
                results = await asyncio.gather(
                    servers.call("web_weather", {"city": "Madrid"}), servers.call("web_time", {})
                )
                assert results == ["sunny, 25 degrees", "a quarter to four"]
            proxy.close()
        assert b"bearer hush" in b"".join(seen).lower()

    run(scenario)


def test_what_a_tool_complains_of_is_for_the_model_to_tell():
    async def scenario():
        async with McpServers.running({"home": STDIO}) as servers:
            with pytest.raises(ToolError, match="no weather station in Atlantis") as raised:
                await servers.call("home_weather", {"city": "Atlantis"})
            assert not raised.value.retryable

    run(scenario)


def test_a_tool_that_takes_too_long_is_given_up_and_the_next_call_works():
    async def scenario():
        settings = STDIO.model_copy(update={"timeout_s": 0.5})
        async with McpServers.running({"home": settings}) as servers:
            with pytest.raises(ToolError, match=r"more than 0\.5 s") as raised:
                await servers.call("home_slow", {"seconds": 60})
            assert raised.value.retryable
            while True:  # a busy machine takes longer than that for any call
                with suppress(ToolError):
                    assert await servers.call("home_time", {}) == "a quarter to four"
                    break

    run(scenario)


def test_a_long_result_is_cut_off():
    async def scenario():
        settings = STDIO.model_copy(update={"max_result_chars": 100})
        async with McpServers.running({"home": settings}) as servers:
            assert await servers.call("home_long", {"characters": 10_000}) == "x" * 100

    run(scenario)


def test_only_what_is_allowed_is_offered_and_called():
    async def scenario():
        settings = STDIO.model_copy(update={"only": ["time"]})
        async with McpServers.running({"home": settings}) as servers:
            assert names(servers) == {"home_time"}
            with pytest.raises(ToolError):
                await servers.call("home_weather", {"city": "Paris"})

    run(scenario)


def test_a_command_gets_the_variables_it_is_meant_to_and_no_others(monkeypatch):
    monkeypatch.setenv("WEATHER_KEY", "hush")

    async def scenario():
        async with McpServers.running({"home": STDIO}) as servers:
            assert await servers.call("home_secret", {}) == "nothing"
        passing = STDIO.model_copy(update={"pass_env": ["WEATHER_KEY"]})
        async with McpServers.running({"home": passing}) as servers:
            assert await servers.call("home_secret", {}) == "hush"

    run(scenario)


def test_a_server_that_dies_in_a_call_is_started_again(caplog):
    async def scenario():
        async with McpServers.running({"home": STDIO}) as servers:
            with pytest.raises(ToolError) as raised:
                await servers.call("home_leave", {})
            assert raised.value.retryable
            await until(lambda: not servers.tools)
            with pytest.raises(ToolError, match="not there at the moment"):
                await servers.call("home_time", {})
            await until(lambda: servers.tools)
            assert await servers.call("home_time", {}) == "a quarter to four"

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert any("MCP server 'home' is not there" in record.getMessage() for record in caplog.records)


def test_a_server_that_dies_unasked_takes_its_tools_with_it_and_comes_back(monkeypatch):
    monkeypatch.setattr(mcp_servers, "CHECK_EVERY_S", 0.2)

    async def scenario():
        port = free_port()
        settings = McpServer(url=f"http://127.0.0.1:{port}/mcp")
        async with http_server(port):
            running = McpServers.running({"web": settings})
            servers = await running.__aenter__()
            assert servers.tools
        try:
            await until(lambda: not servers.tools)
            async with http_server(port):
                await until(lambda: servers.tools)
                assert await servers.call("web_time", {}) == "a quarter to four"
        finally:
            await running.__aexit__(None, None, None)

    run(scenario)


def test_a_server_that_is_not_there_delays_nothing_for_long_and_harms_no_other(caplog):
    async def scenario():
        nowhere = McpServer(url=f"http://127.0.0.1:{free_port()}/mcp")
        missing = McpServer(command=["/nowhere/at/all"])
        servers = {"home": STDIO, "nowhere": nowhere, "missing": missing}
        async with McpServers.running(servers) as found:
            assert all(name.startswith("home_") for name in names(found))
            assert await found.call("home_time", {}) == "a quarter to four"

    run(scenario)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "tools.mcp.nowhere" in told
    assert "tools.mcp.missing" in told


def children():
    return set(psutil.Process().children())


def test_nothing_is_left_running():
    async def scenario():
        before = children()
        async with McpServers.running({"home": STDIO}) as servers:
            assert servers.tools
            assert children() > before
        assert children() <= before
        assert len(asyncio.all_tasks()) == 2  # this, and what waits for it

    run(scenario)
