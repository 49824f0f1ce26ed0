"""What was said in a conversation, as far as it was heard."""

import json
from collections.abc import Sequence
from dataclasses import replace

from avatar.dialogue.persona import Persona
from avatar.dialogue.prompt import beginning
from speech.types import Language, Message, Tool, ToolCall

_BYTES_PER_TOKEN = 3  # fewer than Qwen2.5 needs: 4.3 in English, 3.4 in Spanish (UTF-8)
_MESSAGE_TOKENS = 8  # the chat template's own, around each message

NO_RESULT = "No result: the conversation went on before there was one."
"""Stands in the history for the result of a call, until that comes."""

TIMED_OUT = "Failed: it took too long."
"""The result of a call that was waited for in vain."""


class History:
    """The messages of one conversation, oldest first.

    Args:
        context_tokens: What the model takes, prompt and reply together.
        reply_tokens: Of them, kept free for the reply.
    """

    def __init__(self, context_tokens: int = 4096, reply_tokens: int = 160) -> None:
        self._prompt_tokens = context_tokens - reply_tokens
        self._messages: tuple[Message, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """All of them, oldest first.

        Two of the person's or two answers never follow each other. Behind tool calls come their
        results, as many, in the same order.
        """
        return self._messages

    @property
    def is_empty(self) -> bool:
        """True before anything was said."""
        return not self._messages

    def remember(self, messages: tuple[Message, ...]) -> None:
        """Begin with what was said in a call that this one goes on with."""
        self._messages = messages

    def add_user(self, text: str) -> None:
        """Add what the person said or typed.

        With no answer in between, it goes on the message before: a sentence said in two breaths is
        one sentence to the model.
        """
        self._messages = _with(self._messages, Message("user", text.strip()))

    def add_assistant(self, heard_text: str, *, interrupted: bool = False) -> None:
        """Add what the person heard of an answer; if that is nothing, no trace of it is left.

        Args:
            heard_text: Cut where the sound was cut.
            interrupted: True leaves an ellipsis, lest the model take the torso for a sentence.
        """
        heard = heard_text.strip()
        if heard and interrupted and heard[-1] not in ".!?…":
            heard += "…"
        self._messages = _with(self._messages, Message("assistant", heard))

    def add_calls(self, calls: Sequence[ToolCall]) -> None:
        """Add what the model asked tools for; of the results nothing is known yet."""
        asked = Message("assistant", "", tuple(calls))
        results = (Message("tool", NO_RESULT, call_id=call.call_id) for call in calls)
        self._messages = (*self._messages, asked, *results)

    def add_result(self, call_id: str, output: str) -> None:
        """Put the result of a call in its place; of a call that is not there, nowhere."""
        self._messages = tuple(
            replace(message, content=output) if message.call_id == call_id else message
            for message in self._messages
        )

    def prompt(
        self,
        persona: Persona,
        language: Language,
        extra_instructions: str = "",
        *,
        interim: str = "",
        tools: Sequence[Tool] = (),
    ) -> tuple[Message, ...]:
        """What the model is to answer: how all prompts begin, and the newest messages that fit.

        When they no longer fit, the oldest go until half of the room is free. So the prompt grows
        at its end for many turns, and its beginning, which the model has read, stays as it is.

        It begins with the person, as chat models know it (some templates refuse anything else):
        the greeting is not in it. A small model that sees "I'm Elena" last says "I'm Anna" to Anna.

        Args:
            persona: Who answers.
            language: In which language.
            extra_instructions: The call's own, after the persona's.
            interim: Words of a turn that is not over; the prompt is what it would be with them
                added.
            tools: That the model is offered, which take room too.
        """
        start = beginning(persona, language, extra_instructions)
        messages = _with(self._messages, Message("user", interim.strip()))
        room = self._prompt_tokens - sum(_tokens(message) for message in start)
        room -= sum(_tool_tokens(tool) for tool in tools)
        return (*start, *_fitting(messages, max(room, 2 * _MESSAGE_TOKENS + 2)))


def _with(messages: tuple[Message, ...], new: Message) -> tuple[Message, ...]:
    if not new.content:
        return messages
    if messages and messages[-1].role == new.role:
        joined = replace(new, content=f"{messages[-1].content} {new.content}")
        return (*messages[:-1], joined)
    return (*messages, new)


def _fitting(messages: Sequence[Message], room: int) -> Sequence[Message]:
    """The newest messages, `room` tokens of them at most, beginning with the person's.

    Found by going through the conversation from its start, so that it depends on the messages
    alone: each prompt begins where the one before it did, but for the turns that drop some.
    """
    messages = [_shortened(message, room // 2) for message in messages]
    first = used = 0
    for last, message in enumerate(messages):
        used += _tokens(message)
        least = room if used <= room else room // 2
        while first <= last and (used > least or messages[first].role != "user"):
            used -= _tokens(messages[first])
            first += 1
    return messages[first:]


def _shortened(message: Message, tokens: int) -> Message:
    """The end of a message too long to keep, as a page pasted into the chat is."""
    if _tokens(message) <= tokens:
        return message
    kept = max(tokens - _MESSAGE_TOKENS, 1) * _BYTES_PER_TOKEN
    return replace(message, content=message.content.encode()[-kept:].decode(errors="ignore"))


def _tokens(message: Message) -> int:
    """An upper estimate, without the model's tokenizer."""
    size = len(message.content.encode())
    size += sum(len(call.name) + len(call.arguments.encode()) for call in message.tool_calls)
    return size // _BYTES_PER_TOKEN + _MESSAGE_TOKENS * (1 + len(message.tool_calls))


def _tool_tokens(tool: Tool) -> int:
    described = (tool.name, tool.description, json.dumps(dict(tool.parameters)))
    return sum(len(part.encode()) for part in described) // _BYTES_PER_TOKEN + _MESSAGE_TOKENS
