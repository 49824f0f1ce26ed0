"""What tools and arguments must be like: JSON schema, and limits.

The validator is `jsonschema`. It is kept from two things: fetching a `$ref` from elsewhere (a
client could make the server ask another one), and matching `pattern`, for a regular expression
made for it can stop the process for minutes. Both are left to the tool itself.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from speech.errors import ToolError
from speech.types import Tool

MOST_TOOLS = 64
MOST_SCHEMA_BYTES = 16_384
MOST_ARGUMENT_BYTES = 16_384
_DEEPEST = 24  # levels of a schema; the validator recurses
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_DESCRIPTION = 2_000

_KEYWORDS = {"pattern": None, "patternProperties": None}
_Validator: type[Validator] = extend(Draft202012Validator, _KEYWORDS)  # type: ignore[no-untyped-call]


def checked(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """The tools, if a conversation can take them.

    Raises:
        ToolError: One is malformed or too large; there are too many, or two of one name.
    """
    if len(tools) > MOST_TOOLS:
        raise ToolError(f"A call takes {MOST_TOOLS} tools at most, not {len(tools)}.")
    names = [tool.name for tool in tools]
    for tool in tools:
        if names.count(tool.name) > 1:
            raise ToolError(f"Two tools are called '{tool.name}': give each a name of its own.")
        _check(tool)
    return tuple(tools)


def _check(tool: Tool) -> None:
    if not _NAME.fullmatch(tool.name):
        raise ToolError(
            f"A tool is called '{tool.name[:80]}': a name has 1 to 64 letters, digits, '_' or '-'."
        )
    if len(tool.description) > _MOST_DESCRIPTION:
        raise ToolError(f"The description of '{tool.name}' is longer than {_MOST_DESCRIPTION}.")
    schema = dict(tool.parameters)
    try:
        size = len(json.dumps(schema))
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolError(f"The parameters of '{tool.name}' are no JSON: {error}.") from error
    if size > MOST_SCHEMA_BYTES or _depth(schema) > _DEEPEST:
        raise ToolError(
            f"The parameters of '{tool.name}' have more than {MOST_SCHEMA_BYTES} bytes or "
            f"{_DEEPEST} levels."
        )
    if schema.get("type", "object") != "object":
        raise ToolError(f"The parameters of '{tool.name}' must be of type 'object'.")
    try:
        _Validator.check_schema(schema)
    except SchemaError as error:
        raise ToolError(
            f"The parameters of '{tool.name}' are no JSON schema: {_one_line(error.message)}."
        ) from error


def parsed_arguments(tool: Tool, arguments: str) -> dict[str, Any]:
    """What a model wrote as arguments, if it fits the tool's schema.

    Raises:
        ToolError: It does not; the message says why, for the model.
    """
    if len(arguments.encode()) > MOST_ARGUMENT_BYTES:
        raise ToolError(f"The arguments of {tool.name} are longer than {MOST_ARGUMENT_BYTES}.")
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise ToolError(f"The arguments of {tool.name} are no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ToolError(f"The arguments of {tool.name} must be a JSON object.")
    validator: Validator = _Validator(dict(tool.parameters), registry=Registry())
    try:
        validator.validate(value)
    except ValidationError as error:
        place = "".join(f"[{part!r}]" for part in error.absolute_path)
        raise ToolError(
            f"The arguments of {tool.name} are wrong{place and ' at ' + place}: "
            f"{_one_line(error.message)}."
        ) from error
    except (Unresolvable, RecursionError) as error:
        raise ToolError(f"The schema of {tool.name} can't be followed: {error}.") from error
    return value


def _depth(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    children = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(child) for child in children), default=0)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200].rstrip(".")
