"""The pose stream of one call, on a virtual clock."""

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from avatar.face.movement import Movement
from avatar.face.poses import LEAD_SAMPLES, PoseStream
from avatar.playout import FRAME_SAMPLES
from avatar.protocol.poses import unpack
from avatar.rtc.clock import MediaClock
from avatar.settings import FaceSettings
from render.types import ARKIT, SPEECH_CLOCK_HZ, FaceCues, FacePose, ScheduledSpeech, VisemeTrack
from tests.session.virtual_clock import run

ORIGIN = 2**32 - 3 * SPEECH_CLOCK_HZ  # wraps in the call
STEP = SPEECH_CLOCK_HZ // 25
JAW = ARKIT.index("jawOpen")


class OpenWhileSpeaking:
    """The mouth is open from the first to the last sample of speech; the head tells the slot."""

    def pose(self, at_sample, cues):
        weights = np.zeros(len(ARKIT), np.float32)
        weights[JAW] = any(s.start_sample <= at_sample < s.end_sample for s in cues.speech)
        head = np.array([(at_sample // STEP % 1000) / 1e3, 0, 0], np.float32)
        return FacePose(weights, head, np.zeros(2, np.float32), 0.0, at_sample)

    def is_blinking(self, at_sample, cues):
        return False


@dataclass
class Call:
    cues: FaceCues = field(default_factory=lambda: FaceCues(states=((0, "listening"),)))
    came: list = field(default_factory=list)  # (time in samples, pose)
    bytes_sent: int = 0

    def __post_init__(self):
        self.clock = MediaClock()
        self.poses = PoseStream(
            clock=self.clock,
            movement=Movement(OpenWhileSpeaking(), lambda: self.cues, FaceSettings()),
            timestamp=lambda sample: (ORIGIN + self.clock.stamp(sample)) % 2**32,
            send=self._send,
            on_due=lambda sample: None,
        )

    def _send(self, message):
        self.bytes_sent += len(message)
        self.came += [(self.clock.now(), pose) for pose in unpack(message)]
        return True

    def speak(self, start_s, end_s):
        track = VisemeTrack(np.zeros((1, 52), np.float32))
        speech = ScheduledSpeech(track, int(start_s * 48_000), int(end_s * 48_000))
        self.cues = FaceCues((speech,), self.cues.states)

    def at(self, script):
        async def go():
            async with asyncio.TaskGroup() as tasks:
                going = [
                    tasks.create_task(self.poses.run()),
                    tasks.create_task(self.send_audio()),
                ]
                self.poses.start()
                await script(self)
                for task in going:
                    task.cancel()

        run(go())
        return self

    async def send_audio(self):
        self.clock.start()
        sample = 0
        while True:
            await self.clock.reach(sample)
            sample += FRAME_SAMPLES
            self.clock.send_next(sample)

    def shown(self):
        """What a client shows, by sample: the newest pose of each timestamp."""
        newest = {}
        for _, pose in self.came:
            sample = (pose.rtp_timestamp - ORIGIN) % 2**32
            if sample not in newest or newest[sample].sequence < pose.sequence:
                newest[sample] = pose
        return newest


async def for_five_seconds(call):
    await asyncio.sleep(5)


def test_every_pose_leaves_ahead_of_its_sample_and_once():
    call = Call()
    call.speak(0, 10)
    call.at(for_five_seconds)
    after_the_start = [(now, pose) for now, pose in call.came if now >= STEP]
    ahead = [(pose.rtp_timestamp - ORIGIN) % 2**32 - now for now, pose in after_the_start]
    assert len(after_the_start) == pytest.approx(5 * 25, abs=2)
    assert min(ahead) > LEAD_SAMPLES - STEP
    assert max(ahead) <= LEAD_SAMPLES
    sequences = [pose.sequence for _, pose in call.came]
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_talking_face_takes_two_kilobytes_a_second_and_an_idle_one_half_of_it():
    talking, idle = Call(), Call()
    talking.speak(0, 10)
    talking.at(for_five_seconds)
    idle.cues = FaceCues(states=((-SPEECH_CLOCK_HZ, "listening"),))
    idle.at(for_five_seconds)
    assert talking.bytes_sent / 5 < 2000
    assert idle.bytes_sent / 5 < 1050
    assert idle.bytes_sent > 0


def test_a_barge_in_sends_the_poses_ahead_of_it_again_with_the_mouth_shut():
    async def script(call):
        call.speak(0.5, 4.0)
        await asyncio.sleep(2.01)
        call.speak(0.5, 2.01)
        await asyncio.sleep(1)

    call = Call().at(script)
    cut = int(2.01 * SPEECH_CLOCK_HZ)
    for sample, pose in call.shown().items():
        is_open = pose.pose.weights[JAW] > 0.5
        assert is_open == (SPEECH_CLOCK_HZ // 2 <= sample < cut), sample
    resent = [now for now, pose in call.came if (pose.rtp_timestamp - ORIGIN) % 2**32 >= cut]
    assert min(now for now in resent if now >= cut) <= cut + STEP


def test_a_stall_of_the_server_moves_the_poses_with_their_sound():
    async def script(call):
        call.speak(0, 10)
        await asyncio.sleep(2)
        asyncio.get_running_loop().now += 1.5  # nothing runs for so long
        await asyncio.sleep(2)

    call = Call().at(script)
    held = round(call.clock.held_s * SPEECH_CLOCK_HZ)
    assert held > SPEECH_CLOCK_HZ
    late = [s for s in call.shown() if s > 4 * SPEECH_CLOCK_HZ]
    assert late
    assert all((sample - held) % STEP == 0 for sample in late)


def test_nothing_is_sent_before_the_sound_has_a_timestamp():
    call = Call()
    call.poses._timestamp = lambda sample: None
    assert call.at(for_five_seconds).came == []


def test_nothing_is_sent_while_it_is_stopped_and_all_that_lies_ahead_after_a_start():
    async def script(call):
        await asyncio.sleep(1)
        call.poses.stop()
        await asyncio.sleep(0.1)
        call.came.clear()
        await asyncio.sleep(1)
        assert call.came == []
        call.speak(0, 10)
        call.poses.start()
        await asyncio.sleep(0.01)
        assert len(call.came) == LEAD_SAMPLES // STEP + 1

    Call().at(script)
