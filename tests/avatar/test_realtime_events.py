"""Every event that we send is one that OpenAI's own types know."""

from typing import get_args

import pytest
from pydantic import ValidationError

from avatar.protocol.events import ServerEvent
from tests.avatar.realtime_kit import MODELS, everything, judge


def kinds(parent=ServerEvent):
    for child in parent.__subclasses__():
        yield from kinds(child)
        if "type" in child.model_fields:
            yield get_args(child.model_fields["type"].annotation)[0]


def test_every_kind_of_event_is_judged():
    assert {event["type"] for event in everything()} == set(kinds())


def test_what_is_not_named_ours_is_theirs():
    assert {kind for kind in kinds() if not kind.startswith("avatar.")} <= set(MODELS)


def test_the_judge_is_severe():
    with pytest.raises(ValidationError):
        judge('{"type": "session.created", "event_id": "e", "session": {"type": "avatar"}}')
    with pytest.raises(ValidationError):
        judge('{"type": "response.output_audio.delta", "event_id": "e", "delta": "AA=="}')
