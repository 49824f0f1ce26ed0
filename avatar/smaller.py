"""Two language models for one call: the usual one, and a smaller one for when answers are late."""

from collections.abc import AsyncGenerator, Callable, Sequence

from avatar.engines import CallModel
from speech.types import Message, Tool, ToolCall, ToolChoice


class EitherModel:
    """A `CallModel` that lets one of two answer.

    Args:
        usual: Answers.
        smaller: Answers while `wants_smaller` says so.
        wants_smaller: Asked at each answer, and each time that something is read ahead: so the
            one that will answer has read the prompt.
    """

    def __init__(
        self, usual: CallModel, smaller: CallModel, wants_smaller: Callable[[], bool]
    ) -> None:
        self._usual = usual
        self._smaller = smaller
        self._wants_smaller = wants_smaller

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the reply as text deltas and tool calls, by the one wanted now."""
        return self._wanted().reply(messages, tools, tool_choice)

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> bool:
        """Let the one wanted now read ahead."""
        return await self._wanted().prefill(messages, tools)

    async def close(self) -> None:
        """Give both back."""
        try:
            await self._usual.close()
        finally:
            await self._smaller.close()

    def _wanted(self) -> CallModel:
        return self._smaller if self._wants_smaller() else self._usual
