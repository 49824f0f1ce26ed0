"""Functions of a program that the avatar may call: declared from their signatures, run here."""

import asyncio
import inspect
import json
import re
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Function = Callable[..., Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TYPES: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the avatar may call.

    Attributes:
        name: Letters, digits, "_" and "-".
        description: For the language model: what it does, and when to call it.
        parameters: JSON Schema of an object.
        function: Called with the arguments by name; may be async. What it returns is sent back,
            as it is if it is a string, else as JSON.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Function

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} can't be a tool's name: use letters, digits, _ and -.")

    def declared(self) -> dict[str, Any]:
        """As the protocol declares a function."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Call it; what it gives, as text. A function that isn't async runs in a thread."""
        if inspect.iscoroutinefunction(self.function):
            given: Awaitable[Any] = self.function(**arguments)
        else:
            given = asyncio.to_thread(self.function, **arguments)
        result = await given
        return result if isinstance(result, str) else json.dumps(result)


def tool(function: Function) -> Tool:
    """Make a tool of a function: its name, docstring and annotations say all.

    Parameters may be str, int, float, bool, dict, lists of these, `Literal`s, and `X | None`.

    Raises:
        TypeError: A parameter has no annotation, or one that JSON does not have.
    """
    hints = get_type_hints(function)
    properties: dict[str, Any] = {}
    required: list[str] = []
    name = str(getattr(function, "__name__", "tool"))
    for each in inspect.signature(function).parameters.values():
        if each.name not in hints:
            raise TypeError(f"The parameter {each.name} of the tool {name} needs an annotation.")
        properties[each.name] = _schema(hints[each.name], f"{name}.{each.name}")
        if each.default is inspect.Parameter.empty:
            required.append(each.name)
    parameters = {"type": "object", "properties": properties, "required": required}
    return Tool(name, inspect.getdoc(function) or "", parameters, function)


def by_name(given: Iterable[Tool | Function]) -> dict[str, Tool]:
    """Tools by their names; plain functions are made tools.

    Raises:
        ValueError: Two have one name.
    """
    found: dict[str, Tool] = {}
    for each in given:
        made = each if isinstance(each, Tool) else tool(each)
        if made.name in found:
            raise ValueError(f"There are two tools named {made.name}; give each its own name.")
        found[made.name] = made
    return found


def _schema(hint: object, where: str) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        rest = [each for each in arguments if each is not type(None)]
        if len(rest) == 1:
            return _schema(rest[0], where)
    if origin is Literal:
        return {"enum": list(arguments)}
    if hint is list or origin is list:
        return {"type": "array", **({"items": _schema(arguments[0], where)} if arguments else {})}
    kind = _TYPES.get(origin or hint)
    if kind is None:
        raise TypeError(f"{where}: JSON has no {hint}; use str, int, float, bool, list or dict.")
    return {"type": kind}
