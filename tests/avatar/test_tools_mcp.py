"""MCP servers inside the process: what is offered, called, and tried again."""

import asyncio
import logging
from itertools import pairwise

import pytest
from mcp import Client
from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError as ServersToolError

from avatar.settings import McpServer
from avatar.tools import mcp_servers
from avatar.tools.mcp_servers import LAST_RETRY_S, McpServers
from speech.errors import ToolError
from tests.session import virtual_clock

SETTINGS = McpServer(command=["never-started"])


def a_server():
    server = MCPServer("home")

    @server.tool()
    def weather(city: str) -> str:
        """The weather in a city."""
        if city == "Atlantis":
            raise ServersToolError("there is no such city")
        return f"sunny in {city}"

    @server.tool(name="two words")
    def unfit() -> str:
        return ""

    @server.tool()
    def picture() -> Image:
        return Image(data=b"png", format="png")

    @server.tool()
    def nothing() -> None:
        pass

    return server


def with_servers(monkeypatch, scenario, **servers):
    """Run `scenario` with servers in memory, in place of commands and addresses."""
    made = {name: a_server() for name in servers or ("home",)}
    settings = {name: servers.get(name, SETTINGS) for name in made}
    of = {id(settings[name]): server for name, server in made.items()}
    monkeypatch.setattr(mcp_servers, "_client", lambda settings, _: Client(of[id(settings)]))

    async def run():
        async with McpServers.running(settings) as found:
            return await scenario(found)

    return asyncio.run(run())


def test_tools_are_offered_under_their_servers_name(monkeypatch):
    async def scenario(servers):
        return servers.tools

    tools = with_servers(monkeypatch, scenario)
    weather, *_ = tools
    assert (weather.name, weather.description) == ("home_weather", "The weather in a city.")
    assert weather.parameters["properties"]["city"]["type"] == "string"


def test_a_tool_that_no_model_could_name_is_left_out_and_told_of_once(monkeypatch, caplog):
    async def scenario(servers):
        (link,) = servers._links
        await mcp_servers._list(link, link.client)  # as it does every ten seconds
        return {tool.name for tool in servers.tools}

    assert "home_two words" not in with_servers(monkeypatch, scenario)
    told = [r.getMessage() for r in caplog.records if "left out" in r.getMessage()]
    assert len(told) == 1
    assert "two words" in told[0]


def test_two_servers_may_have_tools_of_one_name(monkeypatch):
    async def scenario(servers):
        assert {"a_weather", "b_weather"} <= {tool.name for tool in servers.tools}
        return await servers.call("b_weather", {"city": "Rome"})

    other = SETTINGS.model_copy()
    assert with_servers(monkeypatch, scenario, a=SETTINGS, b=other) == "sunny in Rome"


@pytest.mark.parametrize(
    ("name", "arguments", "said", "retryable"),
    [
        ("home_weather", {"city": "Atlantis"}, "there is no such city", False),
        ("home_other", {}, "not there at the moment", True),
        ("weather", {"city": "Rome"}, "not there at the moment", True),
    ],
)
def test_what_can_go_wrong_says_who_is_to_explain_it(monkeypatch, name, arguments, said, retryable):
    async def scenario(servers):
        with pytest.raises(ToolError, match=said) as raised:
            await servers.call(name, arguments)
        return raised.value.retryable

    assert with_servers(monkeypatch, scenario) is retryable


def test_what_is_no_text_is_named(monkeypatch):
    async def scenario(servers):
        return await servers.call("home_picture", {}), await servers.call("home_nothing", {})

    assert with_servers(monkeypatch, scenario) == ("[image]", "Done.")


def test_a_server_that_stays_away_is_tried_less_and_less_often(monkeypatch, caplog):
    tried_s = []

    def refused(*_):
        tried_s.append(asyncio.get_running_loop().time())
        raise OSError("nobody is there")

    monkeypatch.setattr(mcp_servers, "_client", refused)

    async def scenario():
        async with McpServers.running({"home": SETTINGS}) as servers:
            await asyncio.sleep(200)
            assert servers.tools == ()

    with caplog.at_level(logging.WARNING):
        virtual_clock.run(scenario())
    waits = [round(b - a) for a, b in pairwise(tried_s)]
    assert waits == [1, 2, 4, 8, 16, 32, LAST_RETRY_S, LAST_RETRY_S]
    assert "nobody is there" in caplog.records[0].getMessage()
    assert "tools.mcp.home" in caplog.records[0].getMessage()
