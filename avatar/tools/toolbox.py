"""The tools of one call: those that its client offers, and those of the server's own servers."""

from collections.abc import Mapping
from typing import Any, Protocol

from avatar.tools.schema import checked, parsed_arguments
from speech.errors import ToolError
from speech.types import Message, Tool, ToolCall, ToolChoice


class ServerTools(Protocol):
    """Tools that are run here, and not by the client."""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Those that can be called now."""
        ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Run one, and return what came of it, as text.

        Raises:
            ToolError: It failed. `retryable`: it could not be reached, or took too long.
        """
        ...


class NoServerTools:
    """Nothing is run here."""

    tools: tuple[Tool, ...] = ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """There is nothing to run."""
        del arguments
        raise ToolError(f"There is no tool '{name}'.")


class Toolbox:
    """What the model of one call may ask for, and who runs it.

    Args:
        server: The tools that are run here.

    Attributes:
        choice: Whether the model may, must not or must call one.
    """

    def __init__(self, server: ServerTools | None = None) -> None:
        self.choice: ToolChoice = "auto"
        self._server: ServerTools = NoServerTools() if server is None else server
        self._client: tuple[Tool, ...] = ()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """All that can be called now; where two have one name, the client's is meant."""
        own = {tool.name for tool in self._client}
        return (*self._client, *(tool for tool in self._server.tools if tool.name not in own))

    def offer(self, tools: tuple[Tool, ...]) -> None:
        """The client offers these, and no others any more.

        Raises:
            ToolError: They can't be taken.
        """
        self._client = checked(tools)

    def is_clients(self, call: ToolCall) -> bool:
        """Whether the client is to run what is asked for."""
        return any(tool.name == call.name for tool in self._client)

    def arguments(self, call: ToolCall) -> dict[str, Any]:
        """The arguments of a call that can be made.

        Raises:
            ToolError: There is no such tool, or its schema forbids the arguments.
        """
        for tool in self.tools:
            if tool.name == call.name:
                return parsed_arguments(tool, call.arguments)
        raise ToolError(f"There is no tool '{call.name[:64]}'.")

    async def run(self, call: ToolCall) -> str:
        """Run one of the server's own.

        Raises:
            ToolError: It failed.
        """
        return await self._server.call(call.name, self.arguments(call))

    def choice_after(self, last: Message) -> ToolChoice:
        """What the model may do after this message: with a result it has done what it must."""
        return "auto" if last.role == "tool" and self.choice != "none" else self.choice
