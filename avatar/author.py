"""What the language model is asked in one conversation, and how its answers come to be."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace

from avatar.commands import Configure, Correct, Noted, Remove
from avatar.dialogue.history import TIMED_OUT, History, prompt_tokens
from avatar.dialogue.persona import Persona
from avatar.dialogue.prompt import as_sentence
from avatar.events import ToolCalled
from avatar.reading_ahead import ReadingAhead
from avatar.reply import Reply
from avatar.tools.awaited import AwaitedResults
from avatar.tools.calling import ToolUse
from avatar.tools.covers import Covers
from avatar.tools.toolbox import Toolbox
from speech.errors import ToolError
from speech.stages import LanguageModel
from speech.types import Language, Message

_log = logging.getLogger(__name__)

Writing = Callable[[Reply], AsyncGenerator[str, None]]
"""Begins to write the text of a reply."""


class Author:
    """Writes the answers of one conversation.

    Args:
        llm: The language model.
        persona: Who answers.
        history: What was said.
        toolbox: What the model may call.
        covers: Speaks while a tool takes long.
        awaited: What the client was asked to run.
        emit: Told what it is asked for.
        language: To begin with.

    Attributes:
        language: To write in.
        instructions: Of the call, after the persona's.
    """

    def __init__(
        self,
        *,
        llm: LanguageModel,
        persona: Persona,
        history: History,
        toolbox: Toolbox,
        covers: Covers,
        awaited: AwaitedResults,
        emit: Callable[[ToolCalled], None],
        language: Language,
    ) -> None:
        self.language = language
        self.instructions = ""
        self._persona = persona
        self._history = history
        self._toolbox = toolbox
        self._tool_use = ToolUse(
            llm=llm, toolbox=toolbox, history=history, covers=covers, awaited=awaited, emit=emit
        )
        self._reading = ReadingAhead(llm)

    @property
    def would_greet(self) -> bool:
        """Whether nothing has been said that could be answered."""
        return self._history.is_empty

    def configure(self, command: Configure) -> None:
        """Take on what is asked for."""
        self.language = command.language or self.language
        if command.instructions is not None:
            self.instructions = command.instructions
        if command.tools is not None:
            try:
                self._toolbox.offer(command.tools)
            except ToolError as error:  # a dialect should have said so to its client
                _log.error("tools were refused: %s", error)
        if command.tool_choice is not None:
            self._toolbox.choice = command.tool_choice

    def answer(
        self, tasks: asyncio.TaskGroup, interim: str = "", instructions: str | None = None
    ) -> Writing:
        """Answer what was said; with nothing said yet, greet.

        Args:
            tasks: Wait for the client's tools, beyond the answer.
            interim: Words that may yet be said, for a draft.
            instructions: In place of the call's, for this answer.
        """
        language = self.language
        if self.would_greet and not interim:
            return self.line(self._persona.greeting[language])

        def write(reply: Reply) -> AsyncGenerator[str, None]:
            prompt = self._prompt(interim, instructions)
            reply.prompt_tokens = prompt_tokens(prompt)
            return self._tool_use.write(
                tasks,
                reply,
                prompt,
                again=lambda: self._prompt("", instructions),
                sorry=self._persona.tool_failed[language],
            )

        return write

    def rewrite(self, command: Noted | Remove | Correct) -> None:
        """Change what was said."""
        match command:
            case Noted(role, text, item_id, after):
                self._history.note(role, text, item_id, after)
            case Remove(item_id, ""):
                self._history.remove(item_id)
            case Remove(call_id=call_id):
                self._history.remove_call(call_id)
            case Correct(item_id, heard):
                self._history.correct(item_id, heard)

    def timed_out(self, calls: Iterable[str]) -> None:
        """Remember that the client never said what came of these calls."""
        for call_id in calls:
            self._history.add_result(call_id, TIMED_OUT)

    def sorry(self) -> Writing:
        """Say that a tool failed."""
        return self.line(self._persona.tool_failed[self.language])

    def farewell(self) -> Writing:
        """Say goodbye, as the call's time is over."""
        return self.line(self._persona.farewell[self.language])

    def line(self, text: str) -> Writing:
        """Say a line as it stands."""

        async def recited() -> AsyncGenerator[str, None]:
            yield text

        return lambda _: recited()

    def read_ahead(self, tasks: asyncio.TaskGroup, interim: str = "") -> None:
        """Let the model read what is known of the prompt while the person still speaks."""
        self._reading.start(tasks, self._prompt(interim, None), self._toolbox.tools)

    def stop_reading(self) -> None:
        """Leave the model to the answer."""
        self._reading.stop()

    def _prompt(self, interim: str, instructions: str | None) -> tuple[Message, ...]:
        asked = self.instructions if instructions is None else instructions
        prompt = self._history.prompt(
            self._persona,
            self.language,
            asked,
            interim=as_sentence(interim),
            tools=self._toolbox.tools,
        )
        if instructions is None:
            return prompt
        return tuple(replace(m, to_be_worded=m.role == "tool") for m in prompt)
