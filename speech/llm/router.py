"""Asks a small language model for tool calls, in a slot of its own."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from speech.llm import routing
from speech.types import Message, Tool, ToolCall, ToolChoice


class Asked(Protocol):
    """A model that answers one prompt at a time."""

    async def ask(self, messages: Sequence[Message], options: dict[str, Any]) -> str:
        """The whole answer.

        Raises:
            LanguageModelError: The model failed.
        """
        ...

    async def prefill(self, messages: Sequence[Message]) -> bool:
        """Read `messages` ahead."""
        ...


class ToolRouter:
    """Decides for all calls, one request at a time.

    Args:
        model: Is asked.
    """

    def __init__(self, model: Asked) -> None:
        self._model = model
        self._asking = asyncio.Lock()

    async def call(
        self, messages: Sequence[Message], tools: Sequence[Tool], choice: ToolChoice
    ) -> ToolCall | None:
        """The call that the person's last words need; None if they need none.

        Raises:
            LanguageModelError: The model failed.
        """
        said = routing.words_to_answer(messages)
        if not tools or choice == "none" or not said:
            return None
        async with self._asking:
            tool = routing.named(choice, tools)
            if tool is None:
                options = routing.choice_options(tools, required=choice == "required")
                name = await self._model.ask(routing.choosing(tools, said), options)
                tool = routing.chosen(name, tools)
            if tool is None:
                return None
            if not tool.parameters.get("properties"):
                return routing.called(tool, "{}", said)
            prompt = routing.filling(tools, said, tool)
            arguments = await self._model.ask(prompt, routing.arguments_options(tool))
        return routing.called(tool, arguments, said)

    async def read_ahead(self, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        """Read what is known of the prompt, unless another call is being decided."""
        if tools and not self._asking.locked():
            said = routing.words_to_answer(messages)
            await self._model.prefill(routing.choosing(tools, said))
