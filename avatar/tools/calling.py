"""Answers that may need tools: written, interrupted by calls, and written on with the results."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Literal

from avatar.dialogue.history import History
from avatar.dialogue.tags import untagged
from avatar.events import ToolCalled, new_id
from avatar.reply import Reply
from avatar.tools.awaited import AwaitedResults
from avatar.tools.covers import Covers
from avatar.tools.toolbox import Toolbox
from speech.errors import ToolError
from speech.stages import LanguageModel
from speech.text.normalise import normalise
from speech.types import Message, ToolCall

_log = logging.getLogger(__name__)

_MOST_ROUNDS = 4  # of calls in one answer; then the model must say what it has
_MOST_CALLS = 8  # in one round

_Outcome = Literal["results", "failed", "client"]


class ToolUse:
    """Writes the answers of one conversation, with what tools say where the model wants them.

    Nothing that is only a draft ever calls a tool: it waits until it may speak.

    Args:
        llm: Writes, and says what it wants called.
        toolbox: What can be called.
        history: Remembers what was called, and what came of it.
        covers: Speaks while a tool takes long.
        awaited: Of the calls that the client makes.
        emit: Told which those are.
    """

    def __init__(
        self,
        *,
        llm: LanguageModel,
        toolbox: Toolbox,
        history: History,
        covers: Covers,
        awaited: AwaitedResults,
        emit: Callable[[ToolCalled], None],
    ) -> None:
        self._llm = llm
        self._toolbox = toolbox
        self._history = history
        self._covers = covers
        self._awaited = awaited
        self._emit = emit

    async def write(
        self,
        tasks: asyncio.TaskGroup,
        reply: Reply,
        first: Sequence[Message],
        again: Callable[[], Sequence[Message]],
        sorry: str,
    ) -> AsyncGenerator[str, None]:
        """Yield an answer's text.

        Args:
            tasks: Waits for the client, beyond the answer.
            reply: The answer.
            first: What it answers.
            again: The same once more, when there are results.
            sorry: What is said where a tool can't be reached.

        Raises:
            LanguageModelError: The model failed.
        """
        for round_ in range(_MOST_ROUNDS + 1):
            messages = again() if round_ else first
            choice = self._toolbox.choice_after(messages[-1])
            if round_ == _MOST_ROUNDS:
                choice = "none"
            calls: list[ToolCall] = []
            told = ""
            written = self._llm.reply(messages, self._toolbox.tools, choice)
            async with aclosing(_words(written, calls)) as words:
                async for text in words:
                    told += text
                    yield text
            if not calls:
                reply.left_untold = round_ > 0 and not _tellable(told, reply)
                return
            if round_ == _MOST_ROUNDS:
                break
            await reply.may_speak.wait()
            outcome = await self._carry_out(tasks, reply, calls[:_MOST_CALLS])
            if outcome == "failed":
                yield sorry
            if outcome != "results":
                return
        yield sorry

    async def _carry_out(
        self, tasks: asyncio.TaskGroup, reply: Reply, wanted: Sequence[ToolCall]
    ) -> _Outcome:
        """Make the calls that can be made; all that becomes of them is in the history."""
        reply.has_called()
        calls, wrong = self._checked(wanted)
        item_id = new_id("item")
        self._history.add_calls(calls, item_id)
        for call_id, problem in wrong.items():
            self._history.add_result(call_id, problem)
        good = [call for call in calls if call.call_id not in wrong]
        here = [call for call in good if not self._toolbox.is_clients(call)]
        elsewhere = [call for call in good if self._toolbox.is_clients(call)]
        async with self._covered(reply), asyncio.TaskGroup() as running:
            results = [running.create_task(self._run(call)) for call in here]
        if elsewhere:
            reply.asks_client = True
            reply.precede(item_id)  # all its words were written before
            ids = {call.call_id for call in elsewhere}
            self._awaited.begin(tasks, reply, ids)
            for call in elsewhere:
                self._emit(
                    ToolCalled(
                        reply.response_id,
                        new_id("item"),
                        call.call_id,
                        call.name,
                        call.arguments,
                    )
                )
            return "client"
        return "results" if all(result.result() for result in results) else "failed"

    def _checked(self, wanted: Sequence[ToolCall]) -> tuple[tuple[ToolCall, ...], dict[str, str]]:
        """The calls, each with an id of its own, and by id what is wrong with some of them."""
        calls: list[ToolCall] = []
        wrong: dict[str, str] = {}
        for call in wanted:
            is_taken = any(call.call_id == other.call_id for other in calls)
            if is_taken or self._history.has_call(call.call_id):
                call = replace(call, call_id=new_id("call"))
            try:
                self._toolbox.arguments(call)
            except ToolError as error:
                _log.warning("the model called a tool wrongly")
                wrong[call.call_id] = f"Failed: {error}"
                call = replace(call, arguments="{}")  # templates of prompts fail on broken JSON
            calls.append(call)
        return tuple(calls), wrong

    async def _run(self, call: ToolCall) -> bool:
        """Run a tool of the server's own; whether the model has something to go on with."""
        try:
            self._history.add_result(call.call_id, await self._toolbox.run(call))
        except ToolError as error:
            # A tool's own words may repeat what was said; that it can't be reached says nothing.
            why = f": {error}" if error.retryable else ""
            _log.warning("a tool failed%s", why, extra={"tool": call.name})
            self._history.add_result(call.call_id, f"Failed: {error}")
            return not error.retryable
        return True

    @asynccontextmanager
    async def _covered(self, reply: Reply) -> AsyncGenerator[None, None]:
        """Say something meanwhile if it takes long."""
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._covers.speak(reply), name="cover")
            try:
                yield
            finally:
                speaking.cancel()


def _tellable(written: str, reply: Reply) -> str:
    """What of the text can be told: aloud, no smile can."""
    text = untagged(written)
    return normalise(text, reply.language) if reply.speaks else text.strip()


async def _words(
    written: AsyncGenerator[str | ToolCall, None], calls: list[ToolCall]
) -> AsyncGenerator[str, None]:
    """The text of what is written; the calls in it are added to `calls`."""
    said = False
    async with aclosing(written):
        async for part in written:
            if isinstance(part, ToolCall):
                calls.append(part)
            else:
                said = True
                yield part
    if said and calls:
        yield "\n"  # or the last words before the calls would wait for what follows them
