"""Calls whose sound comes in messages: recorded if they agree in time, and run again."""

import asyncio
import base64
import json
from functools import partial

import numpy as np
import pytest

from avatar.calls import Calls
from avatar.protocol.config import CallConfig
from avatar.protocol.realtime import Realtime
from avatar.protocol.voice_live.dialect import VoiceLive
from avatar.recording.reading import read_call
from avatar.replay.compare import compare
from avatar.replay.outcome import outcome_of
from avatar.replay.recorded import RecordedPerson
from avatar.replay.run import hold_call
from avatar.settings import RecordingSettings, Settings
from avatar.websocket.line import WebSocketLine
from tests.avatar.voice_live_kit import HERE, Link
from tests.session import virtual_clock
from tests.session.scripted_engines import LONG, Model, scripted_engines

RATE_HZ = 24_000
STORY, STOP = 4000, 4010
YES = {"type": "session.update", "session": {"type": "realtime", "avatar": {"recording": True}}}
NO = {"type": "session.update", "session": {"type": "realtime", "avatar": {"recording": False}}}
PUSH_TO_TALK = {
    "type": "session.update",
    "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}},
}


def sound(loudness, seconds=0.02):
    pcm = np.full(round(RATE_HZ * seconds), loudness, "<i2")
    audio = base64.b64encode(pcm.tobytes()).decode()
    return {"type": "input_audio_buffer.append", "audio": audio}


def speech(*stretches):
    """(at_s, message) of a voice: (begin_s, end_s, loudness), silence in between, for 12 s."""
    for n in range(600):
        at_s = n * 0.02
        loudness = next((v for begin, end, v in stretches if begin <= at_s < end), 0)
        yield at_s + 0.3, sound(loudness)


class Socket:
    """Says every message at its time, and then hangs up."""

    application_state = None

    def __init__(self, messages):
        self.told = []
        self._messages = iter(sorted(messages, key=lambda message: message[0]))
        self._last_s = 0.0

    async def receive_text(self):
        at_s, message = next(self._messages, (self._last_s + 1, None))
        await asyncio.sleep(at_s - self._last_s)
        self._last_s = at_s
        return json.dumps(message) if message else await asyncio.Event().wait()

    async def send_text(self, text):
        self.told.append(json.loads(text))

    def is_recorded(self):
        sessions = [e["session"] for e in self.told if e["type"].startswith("session.")]
        return [session.get("avatar", {}).get("recording") for session in sessions]


def engines():
    words = {STORY: "tell me a story", STOP: "stop"}
    return scripted_engines(words, lambda: Model([LONG, "Fine."]))


def held(root, messages, *, enabled=True, config=None, speak=None, lasts_s=14):
    """A call of these messages, recorded below `root` or not; what its client was told."""
    given = Settings(recording=RecordingSettings(enabled=enabled, folder=root))
    socket = Socket(messages)

    async def call():
        async with asyncio.TaskGroup() as tasks:
            calls, line = Calls(given, engines(), tasks), WebSocketLine(socket)
            session = calls.hold(
                line.connect, config or CallConfig(), speak or partial(Realtime, line=line)
            )
            if isinstance(speak, LateLine):
                speak.line = line
            running = tasks.create_task(line.run())
            await asyncio.sleep(lasts_s)
            session.hang_up()
            await asyncio.wait([running])
            for recorder in session.left().recordings:
                recorder.wait()

    virtual_clock.run(call())
    return socket


class LateLine:
    """Makes the dialect of Voice Live, whose line there is only later."""

    line = None

    def __call__(self, doors):
        return VoiceLive(doors, HERE, [], Link(), self)

    def __getattr__(self, name):
        return getattr(self.line, name)


def recording_of(root):
    (folder,) = root.iterdir()
    return read_call(folder)


def again(call, root):
    async def replay():
        config = CallConfig.model_validate(call.header.session)
        return await hold_call(RecordedPerson(call), config, engines(), Settings(), root=root)

    return virtual_clock.run(replay())


def test_a_call_that_agrees_first_is_recorded_and_goes_the_same_way_again(tmp_path):
    told = held(tmp_path / "calls", [(0.1, YES), *speech((0.5, 1.5, STORY), (4.0, 5.0, STOP))])
    assert told.is_recorded() == [False, True]
    first = recording_of(tmp_path / "calls")
    outcome = outcome_of(first)
    assert [turn.words for turn in outcome.turns] == ["tell me a story", "stop"]
    assert [answer.status for answer in outcome.answers] == ["cancelled", "completed"]
    assert compare(first, again(first, tmp_path / "now")).holds


def test_no_message_of_sound_is_kept_twice(tmp_path):
    held(tmp_path / "calls", [(0.1, YES), *speech((0.5, 1.5, STORY))])
    call = recording_of(tmp_path / "calls")
    types = {entry.type for entry in call.entries}
    assert "session.update" in types
    assert "response.done" in types
    assert types.isdisjoint({"input_audio_buffer.append", "response.output_audio.delta"})
    heard = np.concatenate([arrival.frame.pcm for arrival in call.arrivals])
    assert (heard == STORY).sum() > 15_000


def test_a_turn_that_was_sent_all_at_once_and_committed_is_the_same_turn_again(tmp_path):
    turn = [(1.0, sound(STORY, 1.0)), (1.0, {"type": "input_audio_buffer.commit"})]
    turn.append((1.0, {"type": "response.create"}))
    held(tmp_path / "calls", [(0.1, YES), (0.1, PUSH_TO_TALK), *turn])
    first = recording_of(tmp_path / "calls")
    now = again(first, tmp_path / "now")
    said = [[e.body["text"] for e in call.entries if e.type == "UserSaid"] for call in (first, now)]
    assert said == [["tell me a story"]] * 2


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [(0.1, NO)],
        [(0.1, NO), (0.2, YES)],
        [(1.0, YES)],
        [(0.1, {"type": "response.create"}), (0.2, YES)],
    ],
)
def test_who_does_not_agree_or_too_late_is_not_recorded(tmp_path, messages):
    told = held(tmp_path / "calls", [*messages, *speech((0.5, 1.5, STORY))])
    assert not any(told.is_recorded())
    assert not (tmp_path / "calls").exists()


def test_nobody_is_recorded_where_the_operator_does_not_record(tmp_path):
    told = held(tmp_path / "calls", [(0.1, YES), *speech((0.5, 1.5, STORY))], enabled=False)
    assert not any(told.is_recorded())
    assert not (tmp_path / "calls").exists()


def test_what_is_recorded_can_be_withdrawn(tmp_path):
    told = held(tmp_path / "calls", [(0.1, YES), (3.0, NO), *speech((0.5, 1.5, STORY))])
    assert told.is_recorded() == [False, True, False]
    assert list((tmp_path / "calls").iterdir()) == []


def test_a_call_whose_client_secret_agrees_is_recorded_from_its_beginning(tmp_path):
    held(tmp_path / "calls", speech((0.5, 1.5, STORY)), config=CallConfig(recording=True))
    assert outcome_of(recording_of(tmp_path / "calls")).words == "tell me a story"


def test_a_call_of_voice_live_is_recorded_without_its_network_and_run_again(tmp_path):
    ice = [{"urls": ["turn:t"], "username": "somebody", "credential": "open-sesame"}]
    avatar = {"character": "elena", "recording": True, "ice_servers": ice}
    yes = {"type": "session.update", "session": {"avatar": avatar, "instructions": "Be brief."}}
    told = held(tmp_path / "calls", [(0.1, yes), *speech((0.5, 1.5, STORY))], speak=LateLine())
    assert told.is_recorded() == [None, True]
    first = recording_of(tmp_path / "calls")
    assert first.header.session["instructions"] == "Be brief."
    assert outcome_of(first).words == "tell me a story"
    assert "open-sesame" not in (first.folder / "events.jsonl").read_text()
    assert compare(first, again(first, tmp_path / "now")).holds
