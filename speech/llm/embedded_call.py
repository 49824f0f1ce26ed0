"""One call's share of the embedded language model."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from speech.llm.ending import end_with_a_sentence
from speech.llm.llama import Json, LlamaRequest
from speech.llm.telling import shown, told_already, without_calls
from speech.types import Message, Tool, ToolCall, ToolChoice

if TYPE_CHECKING:
    from speech.llm.embedded import EmbeddedModel  # which makes what is here

_log = logging.getLogger(__name__)

_LANGUAGE_SHOWS = 7  # messages in which the language shows: instructions, three exchanges


@dataclass(frozen=True, slots=True)
class PromptUse:
    """How much of a prompt was already in the KV cache.

    Attributes:
        tokens: Length of the whole prompt.
        cached_tokens: How many of them did not have to be read again.
    """

    tokens: int
    cached_tokens: int


class EmbeddedConversation:
    """A `LanguageModel` for one call, with a KV cache of its own. `EmbeddedModel` makes it.

    One request at a time. A new reply ends the one before; reading ahead gives way to replies and
    to newer words.

    Attributes:
        prompt_use: Of the last request; None before there was one.
    """

    def __init__(self, model: "EmbeddedModel") -> None:
        self.prompt_use: PromptUse | None = None
        self._model = model
        self._request: LlamaRequest | None = None
        self._replies = 0  # being written
        self._asked = 0  # grows with each request, so that an old hint knows that it is old

    async def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the reply as text deltas, or a tool call. Closing it stops the model in one step.

        A tool's result in sentences is the reply as it stands.

        Raises:
            LanguageModelError: The prompt does not fit the context, or llama.cpp failed.
        """
        if told := told_already(messages):
            yield told
            return
        call = await self._model.router.call(messages, tools, tool_choice)
        if call is not None:
            yield call
            return
        max_tokens = self._model.max_tokens
        written = self._written(self._plain(messages, tools), {"max_tokens": max_tokens})
        async with aclosing(end_with_a_sentence(written, max_tokens)) as deltas:
            async for delta in deltas:
                yield delta

    async def ask(self, messages: Sequence[Message], options: Json) -> str:
        """The whole answer to a prompt.

        Raises:
            LanguageModelError: The prompt does not fit the context, or llama.cpp failed.
        """
        async with aclosing(self._written(messages, options)) as deltas:
            return "".join([delta async for delta in deltas])

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> bool:
        """Read `messages` into the cache; return early when a reply or newer words come.

        Returns:
            Whether they were read.

        Raises:
            LanguageModelError: The prompt does not fit the context, or llama.cpp failed.
        """
        if self._replies:
            return False
        self._asked += 1
        asked = self._asked
        await self._idle()
        async with self._model.reading.ahead(self._stop) as allowed:
            if not allowed or asked != self._asked:
                return False
            request = await self._start(self._plain(messages, tools), {"max_tokens": 0})
            async with aclosing(self._deltas(request)) as deltas:
                # llama.cpp writes one token all the same, unless it is stopped before.
                is_read = bool([delta async for delta in deltas])
        await self._model.router.read_ahead(messages, tools)
        return is_read

    async def close(self) -> None:
        """Stop what runs and give the slot back: its cache serves the next call that begins so."""
        await self._idle()
        self._model.release(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _plain(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Sequence[Message]:
        """The prompt, as the model understands it.

        Where there are tools it is shown how their results are told: near the beginning, where it
        is read once in a call and ahead. Right before a result it took 2 s then.
        """
        plain = without_calls(messages)
        if not tools:
            return plain
        first = len(self._model.beginning_of(plain)) or int(plain[0].role == "system")
        return (*plain[:first], *shown(plain[: max(first, _LANGUAGE_SHOWS)]), *plain[first:])

    def _stop(self) -> None:
        if self._request is not None:
            self._request.stop()

    async def _idle(self) -> None:
        if self._request is not None:
            self._request.stop()
            await self._request.ended()

    async def _written(
        self, messages: Sequence[Message], options: Json
    ) -> AsyncGenerator[str, None]:
        self._asked += 1
        self._replies += 1
        try:
            async with AsyncExitStack() as reading:
                await reading.enter_async_context(self._model.reading.for_reply())
                request = await self._start(messages, options)
                async with aclosing(self._deltas(request)) as deltas:
                    async for delta in deltas:
                        await reading.aclose()  # the prompt is read: let the next one be
                        yield delta
        finally:
            self._replies -= 1

    async def _start(self, messages: Sequence[Message], options: Json) -> LlamaRequest:
        await self._idle()
        await self._model.recall(self, messages)
        self._request = self._model.start(self, messages, options)
        return self._request

    async def _deltas(self, request: LlamaRequest) -> AsyncGenerator[str, None]:
        async with aclosing(request.chunks()) as chunks:
            async for chunk in chunks:
                progress = chunk.get("prompt_progress")
                if progress and progress["processed"] == progress["cache"]:
                    self.prompt_use = PromptUse(progress["total"], progress["cache"])
                if timings := chunk.get("timings"):
                    _log.debug("Reply written", extra={"timings": timings})
                if text := chunk["choices"][0]["delta"].get("content"):
                    yield text
