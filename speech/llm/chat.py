"""Messages and tools in the shapes of OpenAI's chat completions, and tool calls out of them."""

import json
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from speech.types import Message, NamedTool, Tool, ToolCall, ToolChoice

Json = dict[str, Any]


def message_json(message: Message) -> Json:
    """A message, as a request has it."""
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
    body: Json = {"role": message.role, "content": message.content}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    return body


def tools_json(tools: Sequence[Tool], choice: ToolChoice) -> Json:
    """The part of a request that offers tools; empty if there are none to offer."""
    if not tools:
        return {}
    functions = [
        {"name": t.name, "description": t.description, "parameters": dict(t.parameters)}
        for t in tools
    ]
    chosen: Json | str = (
        {"type": "function", "function": {"name": choice.name}}
        if isinstance(choice, NamedTool)
        else choice
    )
    return {
        "tools": [{"type": "function", "function": function} for function in functions],
        "tool_choice": chosen,
    }


@dataclass(slots=True)
class _Piece:
    call_id: str = ""
    name: str = ""
    arguments: str = ""


async def whole_calls(
    pieces: AsyncGenerator[str | Json, None],
) -> AsyncGenerator[str | ToolCall, None]:
    """Pass text on, and put tool calls together out of their pieces.

    Servers differ: most send a name and then its arguments bit by bit, each bit with the call's
    `index`; some send each call whole, without an index, or all of them with index 0 and ids of
    their own; Ollama sends arguments that are no text but an object.

    Args:
        pieces: Text, and the entries of `tool_calls` in deltas; closed at the end.
    """
    calls: dict[object, _Piece] = {}
    latest: object = None
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, str):
                yield piece
                continue
            latest = _place(piece, calls, latest)
            _add(calls.setdefault(latest, _Piece()), piece)
    for call in calls.values():
        yield ToolCall(call.call_id or f"call_{uuid.uuid4().hex[:20]}", call.name, call.arguments)


def _place(piece: Json, calls: dict[object, _Piece], latest: object) -> object:
    """Which call a piece belongs to."""
    index, call_id = piece.get("index"), piece.get("id")
    if index is None:
        return latest if not call_id and calls else call_id or len(calls)
    known = calls.get(index)
    is_another = known is not None and call_id and known.call_id not in ("", call_id)
    return call_id if is_another else index


def _add(call: _Piece, piece: Json) -> None:
    function = piece.get("function") or {}
    arguments = function.get("arguments") or ""
    call.call_id = piece.get("id") or call.call_id
    call.name = function.get("name") or call.name
    call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments)
