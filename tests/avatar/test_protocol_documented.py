"""docs/protocol.md lists every event that the code knows, and no other; and says its version."""

import re
import typing
from pathlib import Path

import avatar.protocol.events as wire
from avatar.protocol.events.base import ServerEvent
from avatar.protocol.version import PROTOCOL_VERSION

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")


def section(title):
    return re.split(r"\n##+ ", DOCUMENT.split(f"\n### {title}\n")[1])[0]


def documented(title):
    """The events named in the first column of a section's tables; `.done` stands for a sibling."""
    names = set()
    for row in re.findall(r"^\| (`.+?) \|", section(title), re.MULTILINE):
        last = ""
        for name in re.findall(r"`([^`]+)`", row):
            full = last.rpartition(".")[0] + name if name.startswith(".") else name
            last = full
            names.add(full)
    return names


def type_of(model):
    [name] = typing.get_args(model.model_fields["type"].annotation)
    return name


def known_to_the_server():
    return {type_of(each) for each in typing.get_args(wire.ClientEvent)}


def sent_by_the_server():
    found, waiting = set(), [ServerEvent]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        is_ours = model.__module__.startswith("avatar.protocol.events.")
        if is_ours and "type" in model.model_fields:
            found.add(type_of(model))
    return found


def test_every_event_of_a_client_is_documented_and_every_documented_one_is_known():
    assert documented("Client to server") == known_to_the_server()


def test_every_event_of_the_server_is_documented_and_every_documented_one_exists():
    assert documented("Server to client") == sent_by_the_server()


def test_the_version_is_a_semantic_one_and_documented():
    assert re.fullmatch(r"\d+\.\d+\.\d+", PROTOCOL_VERSION)
    assert f"`{PROTOCOL_VERSION}`" in section("Versions")
