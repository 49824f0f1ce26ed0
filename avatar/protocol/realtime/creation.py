"""Items that the client makes, asks for and takes away."""

from collections.abc import Callable

from avatar import events as say
from avatar.commands import Noted, Remove, ToolResult, Typed
from avatar.events import new_id
from avatar.protocol import events as wire
from avatar.protocol.dialect import Doors
from avatar.protocol.realtime.answers import Answers
from avatar.protocol.realtime.input import Input
from avatar.protocol.realtime.items import ROOT, Items
from avatar.protocol.realtime.refusal import Refusal
from avatar.protocol.realtime.session import SessionState


class Creation:
    """What the client does to the conversation's items.

    Args:
        doors: The session's.
        session: What is in force.
        items: Of the conversation.
        answers: Know which functions were called.
        heard: Writes down recorded speech.
        send: Sends an event.
    """

    def __init__(
        self,
        doors: Doors,
        session: SessionState,
        items: Items,
        answers: Answers,
        heard: Input,
        send: Callable[[wire.ServerEvent], None],
    ) -> None:
        self._doors = doors
        self._session = session
        self._items = items
        self._answers = answers
        self._heard = heard
        self._send = send
        self._typed: dict[str, tuple[tuple[wire.Part, ...], str | None]] = {}

    def create(self, event: wire.ItemCreate) -> None:
        """Add an item.

        Raises:
            Refusal: Its place or its name is wrong, or it can't be understood.
        """
        item, after = event.item, event.previous_item_id
        if after is not None and after != ROOT and after not in self._items:
            raise Refusal("item_not_found", f"There is no item {after!r}.", "previous_item_id")
        if item.id is not None and self._is_taken(item.id):
            raise Refusal("invalid_value", f"There is an item {item.id!r} already.", "item.id")
        item_id = item.id or new_id("item")
        match item:
            case wire.UserMessage():
                self._create_user(item, item_id, after)
            case wire.SystemMessage(content=content):
                parts = [wire.Part(type="input_text", text=part.text) for part in content]
                self._create_note("system", parts, item_id, after)
            case wire.AssistantMessage(content=content):
                self._create_note("assistant", [_part(part) for part in content], item_id, after)
            case wire.FunctionCallOutput(call_id=call_id, output=output):
                if not self._answers.awaits(call_id):
                    raise Refusal(
                        "call_not_found", f"No call {call_id!r} waits for a result.", "item.call_id"
                    )
                result = wire.FunctionResult(id=item_id, call_id=call_id, output=output)
                self._add(result, after)
                self._doors.command(ToolResult(call_id, output))

    def _is_taken(self, item_id: str) -> bool:
        """Whether an item has that name, or will."""
        waits = item_id in self._typed or self._heard.writes_down(item_id)
        return waits or item_id in self._items

    def typed(self, event: say.UserTyped) -> None:
        """The conversation has taken a message in."""
        plain = ((wire.Part(type="input_text", text=event.text),), None)
        parts, after = self._typed.pop(event.item_id, plain)
        self._add(
            wire.Message(id=event.item_id, role="user", status="completed", content=parts), after
        )

    def item(self, item_id: str) -> wire.Item:
        """The item of that name.

        Raises:
            Refusal: There is none.
        """
        item = self._items.get(item_id)
        if item is None:
            raise Refusal("item_not_found", f"There is no item {item_id!r}.", "item_id")
        return item

    def delete(self, item_id: str) -> None:
        """Take an item out of the conversation.

        Raises:
            Refusal: There is none of that name, or it is being said.
        """
        item = self.item(item_id)
        if item.type != "function_call_output" and item.status == "in_progress":
            raise Refusal("item_in_progress", "It is still being said: cancel it first.", "item_id")
        self._items.remove(item_id)
        call_id = "" if item.type == "message" else item.call_id
        self._doors.command(Remove(item_id, call_id))
        self._send(wire.ItemDeleted(item_id=item_id))

    def _create_user(self, item: wire.UserMessage, item_id: str, after: str | None) -> None:
        parts: list[wire.Part] = []
        for index, content in enumerate(item.content):
            if isinstance(content, wire.InputText):
                parts.append(wire.Part(type="input_text", text=content.text))
            elif content.transcript is not None:
                parts.append(wire.Part(type="input_audio", transcript=content.transcript))
            elif content.audio is None or len(item.content) > 1:
                param = f"item.content[{index}]"
                raise Refusal(
                    "invalid_value",
                    "Recorded speech without a transcript is an item of its own.",
                    f"{param}.audio",
                )
            else:
                self._heard.submit(content.audio, "item.content[0].audio", item_id, after)
                return
        text = _words(parts)
        if not text:
            raise Refusal("invalid_value", "There is nothing in it.", "item.content")
        if item.id is None and after is None and text == parts[0].text:
            self._doors.command(Typed(text))
            return
        self._typed[item_id] = (tuple(parts), after)
        self._doors.command(Typed(text, item_id, after))

    def _create_note(
        self,
        role: wire.NoteRole,
        parts: list[wire.Part],
        item_id: str,
        after: str | None,
    ) -> None:
        message = wire.Message(id=item_id, role=role, status="completed", content=tuple(parts))
        self._add(message, after)
        self._doors.command(Noted(role, _words(parts), item_id, after))

    def _add(self, item: wire.Item, after: str | None) -> None:
        if after is not None and after != ROOT and after not in self._items:
            after = None  # deleted meanwhile
        previous = self._items.add(item, after)
        self._send(wire.ItemAdded(previous_item_id=previous, item=item))
        self._send(wire.ItemDone(previous_item_id=previous, item=item))


def _part(content: wire.OutputText | wire.OutputAudio) -> wire.Part:
    if isinstance(content, wire.OutputText):
        return wire.Part(type="output_text", text=content.text)
    return wire.Part(type="output_audio", transcript=content.transcript)


def _words(parts: list[wire.Part]) -> str:
    return "\n".join(words for part in parts if (words := part.text or part.transcript))
