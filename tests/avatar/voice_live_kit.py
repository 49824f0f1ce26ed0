"""Reads our events as the official Python SDK does, and more strictly."""

import types
import typing

from azure.ai.voicelive import models as sdk
from azure.ai.voicelive.models import ServerEvent


def understood(event):
    """The SDK's typed event; fails where that lacks what its model calls required."""
    read = ServerEvent._deserialize(event, [])
    assert type(read) is not ServerEvent, f"the SDK has no event {event['type']}"
    _check(read, event["type"])
    return read


def _check(model, where):
    for name in type(model)._attr_to_rest_field:
        value = getattr(model, name)
        # The SDK reads what a person said with the model of what a client sends: with its sound.
        needed = not isinstance(model, sdk.RequestAudioContentPart) and not _is_optional(
            type(model), name
        )
        assert value is not None or not needed, f"{where}.{name} is required"
        for i, item in enumerate(value if isinstance(value, list) else [value]):
            if hasattr(type(item), "_attr_to_rest_field"):
                _check(item, f"{where}.{name}[{i}]")


def _is_optional(model, name):
    hint = next(c.__annotations__[name] for c in model.__mro__ if name in c.__annotations__)
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return is_union and type(None) in typing.get_args(hint)
