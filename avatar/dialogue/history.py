"""What was said in a conversation, as far as it was heard."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from avatar.dialogue.persona import Persona
from avatar.dialogue.prompt import beginning
from speech.types import Language, Message, Role, Tool, ToolCall

_BYTES_PER_TOKEN = 3  # fewer than Qwen2.5 needs: 4.3 in English, 3.4 in Spanish (UTF-8)
_MESSAGE_TOKENS = 8  # the chat template's own, around each message

NO_RESULT = "No result: the conversation went on before there was one."
"""Stands in the history for the result of a call, until that comes."""

TIMED_OUT = "Failed: it took too long."
"""The same, once it was waited for in vain."""


ROOT = "root"
"""Stands for the beginning, where a message is said to follow another."""

_NOTES_CHARS = 6000  # of instructions and notes together; the oldest go

KEPT = 1000
"""So many messages are kept at least, and so many notes: all that a client can name (`Items`)."""

KEPT_CHARS = 4 << 20
"""The same of their characters; of twice as much or as many, the older half is forgotten."""


@dataclass(frozen=True, slots=True)
class _Said:
    message: Message
    item_id: str = ""


class History:
    """The messages of one conversation, oldest first. Of a call of days the oldest are forgotten.

    Args:
        context_tokens: What the model takes, prompt and reply together.
        reply_tokens: Of them, kept free for the reply.
    """

    def __init__(self, context_tokens: int = 4096, reply_tokens: int = 160) -> None:
        self._prompt_tokens = context_tokens - reply_tokens
        self._kept = max(KEPT, self._prompt_tokens // _MESSAGE_TOKENS)
        self._said: tuple[_Said, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that is kept, oldest first.

        Two of the person's or two answers never follow each other: words before a call are in its
        message. Behind tool calls come their results, as many, in the same order.
        """
        messages: list[Message] = []
        for message in (said.message for said in self._said if said.message.role != "system"):
            if message.tool_calls:
                is_begun = messages and messages[-1].role == "assistant"
                words = messages.pop().content if is_begun else ""
                messages.append(replace(message, content=words))
            elif message.role == "tool":
                messages.append(message)
            else:
                _append(messages, message)
        return tuple(messages)

    @property
    def is_empty(self) -> bool:
        """True before anything was said."""
        return all(said.message.role == "system" for said in self._said)

    @property
    def newest(self) -> str:
        """What the newest message is named by; empty if there is none, or it has no name."""
        return self._said[-1].item_id if self._said else ""

    @property
    def everything(self) -> tuple[Message, ...]:
        """All that `remember` needs for another call: the client's notes, too."""
        return tuple(said.message for said in self._said)

    def remember(self, messages: tuple[Message, ...]) -> None:
        """Begin with what was said in a call that this one goes on with."""
        self._said = tuple(_Said(message) for message in messages)

    def add_user(self, text: str, item_id: str = "", after: str | None = None) -> None:
        """Add what the person said or typed.

        With no answer in between, it goes on the message before: a sentence said in two breaths is
        one sentence to the model.

        Args:
            text: The words.
            item_id: To name them by.
            after: The item that they follow, or `ROOT`; the newest if it is None or not there.
        """
        self._add(Message("user", text.strip()), item_id, self._behind(after))

    def add_assistant(
        self, heard_text: str, *, interrupted: bool = False, item_id: str = "", before: str = ""
    ) -> None:
        """Add what the person heard of an answer; if that is nothing, no trace of it is left.

        Args:
            heard_text: Cut where the sound was cut.
            interrupted: True leaves an ellipsis, lest the model take the torso for a sentence.
            item_id: To name it by.
            before: What was said while it was; it comes last if that is not there.
        """
        heard = _torso(heard_text) if interrupted else heard_text.strip()
        self._add(Message("assistant", heard), item_id, self._place(before))

    def note(self, role: Role, text: str, item_id: str, after: str | None = None) -> None:
        """Add what nobody said: a client's instructions by the way, or an answer of before.

        Args:
            role: Whose it is: `system` or `assistant`.
            text: The words.
            item_id: To name them by.
            after: As in `add_user`.
        """
        self._add(Message(role, text.strip()), item_id, self._behind(after))

    def remove(self, item_id: str) -> None:
        """Forget what goes by a name, and by no other."""
        self._said = tuple(said for said in self._said if said.item_id != item_id)

    def remove_call(self, call_id: str) -> None:
        """Forget a call and its result: templates want both or none."""
        kept = []
        for said in self._said:
            calls = said.message.tool_calls
            left = tuple(call for call in calls if call.call_id != call_id)
            if said.message.call_id != call_id and (left or not calls):
                kept.append(replace(said, message=replace(said.message, tool_calls=left)))
        self._said = tuple(kept)

    def correct(self, item_id: str, heard_text: str) -> None:
        """Less of an answer was heard than was thought."""
        torso = _torso(heard_text)
        if not torso:
            self.remove(item_id)
            return
        self._said = tuple(
            replace(said, message=replace(said.message, content=torso))
            if said.item_id == item_id
            else said
            for said in self._said
        )

    def add_calls(self, calls: Sequence[ToolCall], item_id: str = "") -> None:
        """Add what the model asked tools for; of the results nothing is known yet.

        Args:
            calls: What it asked for.
            item_id: To name this by.
        """
        asked = _Said(Message("assistant", "", tuple(calls)), item_id)
        results = (Message("tool", NO_RESULT, call_id=call.call_id) for call in calls)
        self._said = (*self._said, asked, *map(_Said, results))
        self._forget_oldest()

    def add_result(self, call_id: str, output: str) -> None:
        """Put the result of a call in its place, however late; a second one, nowhere.

        Nor is a place for that of a call that is not there.
        """
        self._said = tuple(
            replace(said, message=replace(said.message, content=output))
            if said.message.call_id == call_id and said.message.content in (NO_RESULT, TIMED_OUT)
            else said
            for said in self._said
        )

    def has_call(self, call_id: str) -> bool:
        """Whether a call of that name is remembered."""
        return any(said.message.call_id == call_id for said in self._said)

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
        start = beginning(persona, language, self._with_notes(extra_instructions))
        messages = list(self.messages)
        _append(messages, Message("user", interim.strip()))
        room = self._prompt_tokens - sum(_tokens(message) for message in start)
        room -= sum(_tool_tokens(tool) for tool in tools)
        return (*start, *_fitting(messages, max(room, 2 * _MESSAGE_TOKENS + 2)))

    def _behind(self, item_id: str | None) -> int | None:
        """The place behind an item; None if that is not there."""
        if item_id == ROOT:
            return 0
        place = self._place(item_id)
        return None if place is None else place + 1

    def _place(self, item_id: str | None) -> int | None:
        """Where an item is; None if it is not there."""
        places = (i for i, said in enumerate(self._said) if item_id and said.item_id == item_id)
        return next(places, None)

    def _add(self, message: Message, item_id: str, place: int | None = None) -> None:
        """Add what has words, at a place; as the newest without one."""
        if message.content:
            place = len(self._said) if place is None else place
            self._said = (*self._said[:place], _Said(message, item_id), *self._said[place:])
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Forget what no prompt has room for and no client can name.

        Half at once and seldom: the prompt may begin elsewhere after it.
        """
        notes = [said for said in self._said if said.message.role == "system"]
        spoken = [said for said in self._said if said.message.role != "system"]
        if not any(
            len(said) > 2 * self._kept or sum(map(_chars, said)) > 2 * KEPT_CHARS
            for said in (notes, spoken)
        ):
            return
        spoken = spoken[_oldest_kept(spoken, self._kept) :]
        while spoken and spoken[0].message.role == "tool":  # its call is forgotten
            del spoken[0]
        kept = {id(said) for said in (*notes[_oldest_kept(notes, self._kept) :], *spoken)}
        self._said = tuple(said for said in self._said if id(said) in kept)

    def _with_notes(self, instructions: str) -> str:
        """The instructions, and what was noted since: some templates take it nowhere else."""
        notes = [said.message.content for said in self._said if said.message.role == "system"]
        return "\n".join([*([instructions] if instructions else []), *notes])[-_NOTES_CHARS:]


def prompt_tokens(messages: Sequence[Message]) -> int:
    """An upper estimate of what a prompt takes."""
    return sum(map(_tokens, messages))


def _chars(said: _Said) -> int:
    calls = said.message.tool_calls
    return len(said.message.content) + sum(len(call.name) + len(call.arguments) for call in calls)


def _oldest_kept(said: Sequence[_Said], most: int) -> int:
    """The place of the oldest that is among the newest so many; the very newest is in any case."""
    chars = 0
    for place in range(len(said) - 1, -1, -1):
        chars += _chars(said[place])
        count = len(said) - place
        if count > 1 and (count > most or chars > KEPT_CHARS):
            return place + 1
    return 0


def _torso(heard_text: str) -> str:
    """What was heard of an answer that was cut."""
    heard = heard_text.strip()
    return heard + "…" if heard and heard[-1] not in ".!?…" else heard


def _append(messages: list[Message], new: Message) -> None:
    """Add what has words; it goes on the message before if that is the same one's."""
    if not new.content:
        return
    if messages and messages[-1].role == new.role:
        new = replace(new, content=f"{messages.pop().content} {new.content}")
    messages.append(new)


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
