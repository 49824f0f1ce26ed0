"""What a client secret says of a session, against what the browser that uses it asks.

Both are sessions as JSON, as they come: what isn't in one isn't asked, or isn't fixed.
"""

from collections.abc import Mapping
from typing import Any

_NOT_FIXED = frozenset(("type", "model", "avatar"))  # no choice, no difference, the person's own
_GROUPS = frozenset(("audio", "input", "output", "transcription"))


def fixable(session: Mapping[str, Any]) -> dict[str, Any]:
    """What of a session a client secret can fix."""
    return {name: value for name, value in session.items() if name not in _NOT_FIXED}


def without_fixed(
    asked: Mapping[str, Any], fixed: Mapping[str, Any], path: str = "session"
) -> tuple[dict[str, Any], list[str]]:
    """What is asked and open, and the paths of what is asked otherwise than it is fixed."""
    allowed: dict[str, Any] = {}
    refused: list[str] = []
    for name, value in asked.items():
        where = f"{path}.{name}"
        if name not in fixed:
            allowed[name] = value
        elif name in _GROUPS and isinstance(value, Mapping) and isinstance(fixed[name], Mapping):
            allowed[name], inner = without_fixed(value, fixed[name], where)
            refused += inner
        elif value != fixed[name]:
            refused.append(where)
    return allowed, refused


def with_fixed(asked: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked, with what is fixed put over it."""
    merged = dict(asked)
    for name, value in fixed.items():
        old = merged.get(name)
        if name in _GROUPS and isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[name] = with_fixed(old, value)
        else:
            merged[name] = value
    return merged
