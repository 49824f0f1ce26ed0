"""What the measurement of a lost network does with an answer that never comes."""

import asyncio

import pytest

from bench.sdk_call import _answer
from presencia import client
from tests.session import virtual_clock


async def of(*heard):
    for event in heard:
        yield event
    await asyncio.Event().wait()


def test_an_answer_is_what_was_said_until_its_last_sound():
    stopped = client.OtherEvent("output_audio_buffer.stopped", {})
    said = client.AvatarSaid("r1", "i1", "Your name is Margaret.")
    assert virtual_clock.run(_answer(of(stopped, said, stopped))) == "Your name is Margaret."


def test_an_answer_that_fails_ends_the_measurement():
    with pytest.raises(RuntimeError, match="within 60 s"):
        virtual_clock.run(_answer(of(client.ResponseEnded("r1", "failed"))))
