"""Says what is wrong with a client's message: a code, the field, a line for a person."""

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_LONGEST = 300  # characters of pydantic's words, which repeat what it was given
_NO_EVENT = ("json_invalid", "union_tag_not_found", "dict_type", "model_attributes_type")


def explain(error: ValidationError, message: str) -> tuple[str, str | None, str]:
    """(code, param, message) of a malformed event.

    Args:
        error: What reading it raised.
        message: The event.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    if not first["loc"]:
        if first["type"] == "union_tag_invalid":
            tag = str(first["ctx"]["tag"])[:80]
            return "unknown_event", "type", f"No event {tag!r}; see docs/protocol.md."
        if first["type"] in _NO_EVENT:
            return "invalid_json", None, "An event is one JSON object with a field 'type'."
    try:
        return _explain(first, json.loads(message))
    except (ValueError, RecursionError):  # pydantic's reader takes more than Python's
        return "invalid_value", None, first["msg"][:_LONGEST]


def explain_config(error: ValidationError) -> str:
    """One line about a malformed `SessionConfig`."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(["session", *(str(part) for part in first["loc"])])
    return f"{place}: {first['msg'][:_LONGEST]}"


def _explain(first: ErrorDetails, value: object) -> tuple[str, str | None, str]:
    param = _param(first, value)
    if first["type"] == "extra_forbidden":
        return "unknown_parameter", param, f"Unknown parameter: '{param}'."
    if first["type"].startswith("union_tag_"):
        tag = str(first["ctx"]["discriminator"]).strip("'")
        param = f"{param}.{tag}" if param else tag
    if first["type"] in ("missing", "union_tag_not_found"):
        return "missing_required_parameter", param, f"Missing required parameter: '{param}'."
    why = first["msg"][:_LONGEST]
    return "invalid_value", param, f"Invalid value: '{param or 'event'}': {why}."


def _param(first: ErrorDetails, value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """The field, as 'item.content[0].text'. pydantic's place also has the unions' tags."""
    name = ""
    loc = first["loc"]
    for index, part in enumerate(loc):
        is_last = index == len(loc) - 1
        if isinstance(value, list) and isinstance(part, int):
            name, value = f"{name}[{part}]", value[part] if part < len(value) else None
        elif isinstance(value, dict) and part in value:
            name, value = f"{name}.{part}" if name else str(part), value[part]
        elif is_last and first["type"] == "missing":
            name = f"{name}.{part}" if name else str(part)
    return name[:200] or None
