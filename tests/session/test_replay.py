"""Whole calls without a network, recorded and run again: the real session, scripted stages."""

import asyncio
import json

import numpy as np
import pytest

from avatar.protocol.config import CallConfig
from avatar.recording.format import CallRecordingError
from avatar.recording.reading import read_call
from avatar.replay.compare import compare
from avatar.replay.outcome import outcome_of
from avatar.replay.recorded import RecordedPerson
from avatar.replay.run import hold_call
from avatar.settings import Settings
from speech.types import AudioFrame
from tests.session import virtual_clock
from tests.session.scripted_engines import FRAME, LONG, MIC_HZ, Model, scripted_engines

WORDS = {4000: "tell me a story", 4010: "stop"}


def engines(replies):
    return scripted_engines(WORDS, lambda: Model(list(replies)))


class Caller:
    """Says loudnesses at known seconds, and sends messages at others."""

    def __init__(self, says, sends=(), until_s=9.0):
        self.pcm = np.zeros(round((until_s + 60) * MIC_HZ), np.int16)
        for start_s, end_s, value in says:
            self.pcm[round(start_s * MIC_HZ) : round(end_s * MIC_HZ)] = value
        self.sends, self.until_s = sends, until_s
        self.events = []

    async def voice(self):
        loop = asyncio.get_running_loop()
        zero = loop.time()
        for start in range(0, len(self.pcm), FRAME):
            await asyncio.sleep(max(0.0, zero + (start + FRAME) / MIC_HZ - loop.time()))
            yield AudioFrame(self.pcm[start : start + FRAME], MIC_HZ, start)

    async def messages(self):
        for at_s, message in self.sends:
            await asyncio.sleep(at_s)
            yield json.dumps(message)

    def told(self, event):
        self.events.append(event)

    def hears(self, pcm):
        pass

    async def done(self):
        await asyncio.sleep(self.until_s)


def held(root, says, replies=(LONG, "Fine."), **options):
    async def call():
        caller = Caller(says, **options)
        held = await hold_call(caller, CallConfig(), engines(replies), Settings(), root=root)
        return held, caller

    return virtual_clock.run(call())


def again(call, root, replies=(LONG, "Fine.")):
    async def replay():
        person = RecordedPerson(call)
        return await hold_call(person, CallConfig(), engines(replies), Settings(), root=root)

    return virtual_clock.run(replay())


STORY = (0.5, 1.5, 4000)
STOP = (4.0, 5.0, 4010)


def test_a_call_without_a_network_is_a_call(tmp_path):
    call, caller = held(tmp_path, [STORY, STOP])
    outcome = outcome_of(call)
    assert [turn.words for turn in outcome.turns] == ["tell me a story", "stop"]
    assert [answer.status for answer in outcome.answers] == ["cancelled", "completed"]
    assert len(outcome.interrupted) == 1
    assert not call.cut_off
    types = [event["type"] for event in caller.events]
    assert types[0] == "session.created"
    assert "conversation.item.truncated" in types
    assert caller.events[0]["session"]["avatar"]["recording"] is True


def test_every_answer_has_its_timeline_to_the_first_frame_of_the_face(tmp_path):
    call, _ = held(tmp_path, [STORY])
    (answer,) = outcome_of(call).answers
    assert answer.rows_ms["first_sound"] <= answer.rows_ms["first_face_frame"] <= 800


def test_a_recorded_call_that_is_run_again_goes_the_same_way(tmp_path):
    first, _ = held(tmp_path / "first", [STORY, STOP])
    now = again(first, tmp_path / "now")
    compared = compare(first, now)
    assert compared.holds
    assert {f.verdict for f in compared.findings} <= {"same", "shown"}
    assert now.header.source == "replay"
    voice = [np.concatenate([a.frame.pcm for a in call.arrivals]) for call in (first, now)]
    length = min(map(len, voice))
    assert (voice[0][:length] == voice[1][:length]).all()


def test_a_call_that_was_cut_off_is_run_again_as_far_as_it_goes(tmp_path):
    first, _ = held(tmp_path / "first", [STORY, STOP])
    path = first.folder / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if '"UserSaid"' in line)
    path.write_text("".join(lines[: at + 1]) + '{"at_s": 3.')
    broken = read_call(first.folder)
    assert broken.cut_off
    now = again(broken, tmp_path / "now")
    assert outcome_of(now).words.startswith("tell me a story")


def test_code_that_answers_worse_is_found_out(tmp_path):
    first, _ = held(tmp_path / "first", [STORY])

    async def mute():
        deaf = engines([LONG])
        deaf.recognizers["en"].words = {}
        return await hold_call(
            RecordedPerson(first), CallConfig(), deaf, Settings(), root=tmp_path / "now"
        )

    compared = compare(first, virtual_clock.run(mute()))
    assert not compared.holds
    verdicts = {f.name: f.verdict for f in compared.findings}
    assert verdicts["turns with words"] == "changed"
    assert verdicts["noises taken for turns"] == "worse"


def test_what_the_client_sent_is_sent_again_and_meets_the_answer_of_its_own_time(tmp_path):
    typed = {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "a story, please"}],
        },
    }
    sends = [
        (0.5, {"type": "avatar.ping"}),
        (0.5, typed),
        (0.1, {"type": "response.create"}),
        (2.0, {"type": "response.cancel"}),
    ]
    first, _ = held(tmp_path / "first", [], sends=sends)
    assert [a.by_client for a in outcome_of(first).answers] == [True]
    for entry in first.entries:  # as a client that names the answer which it stops
        if entry.type == "response.cancel":
            entry.body["response_id"] = "resp_of_then"
    now = again(first, tmp_path / "now")
    assert [a.by_client for a in outcome_of(now).answers] == [True]
    types = [entry.type for entry in now.entries if entry.source == "client"]
    assert types == ["conversation.item.create", "response.create", "response.cancel"]


def test_what_is_remembered_at_the_end_is_recorded(tmp_path):
    call, _ = held(tmp_path, [STORY], replies=["Once there was a boat."])
    (remembered,) = [entry for entry in call.entries if entry.type == "Remembered"]
    contents = [message["content"] for message in remembered.body["messages"]]
    assert contents == ["tell me a story", "Once there was a boat."]


def test_a_person_who_withdraws_during_the_call_leaves_no_recording(tmp_path):
    withdrawal = {
        "type": "session.update",
        "session": {"type": "realtime", "avatar": {"recording": False}},
    }
    with pytest.raises(CallRecordingError, match="no recorded call"):
        held(tmp_path, [STORY], sends=[(3.0, withdrawal)])
    assert list(tmp_path.iterdir()) == []
