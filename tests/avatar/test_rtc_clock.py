import asyncio

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st

from avatar.replay.virtual_clock import VirtualClockLoop, run
from avatar.rtc.clock import CATCH_UP_SAMPLES, MediaClock
from avatar.rtc.tracks import FRAME_SAMPLES, AudioOut, VideoOut
from render.types import VideoFrame


class Counting:
    """A source whose n-th frame is full of n."""

    def __init__(self) -> None:
        self.frames = 0

    def next_frame(self):
        self.frames += 1
        return np.full(FRAME_SAMPLES, self.frames - 1, np.int16)


def stall(seconds: float) -> None:
    """Nothing runs on the event loop for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualClockLoop)
    loop.now += seconds


def test_the_clock_starts_once_and_counts_from_then():
    async def scenario():
        clock = MediaClock()
        assert (clock.is_started, clock.now()) == (False, 0)
        with pytest.raises(RuntimeError, match="not started"):
            clock.time_of(0)
        await asyncio.sleep(5)
        clock.start()
        await asyncio.sleep(1)
        clock.start()
        assert clock.now() == 48_000
        assert clock.time_of(96_000) == 7.0

    run(scenario())


@given(st.integers(0, 48_000 * 3600 * 24 * 30), st.floats(0, 1e7))
def test_a_sample_is_at_its_own_time(sample, uptime_s):
    async def scenario():
        stall(uptime_s)
        clock = MediaClock()
        clock.start()
        assert clock.sample_at(clock.time_of(sample)) == sample

    run(scenario())


def test_audio_is_paced_by_absolute_deadlines_and_does_not_drift():
    async def scenario():
        clock, source = MediaClock(), Counting()
        track = AudioOut(source, clock)
        for i in range(3000):
            frame = await track.recv()
            assert frame.pts == i * FRAME_SAMPLES
            stall(0.007)  # as if encoding took the event loop
        loop = asyncio.get_running_loop()
        assert loop.time() == pytest.approx(clock.time_of(2999 * FRAME_SAMPLES) + 0.007)
        assert frame.to_ndarray()[0, 0] == 2999
        assert (frame.sample_rate, frame.layout.name, frame.samples) == (48_000, "mono", 960)

    run(scenario())


def test_a_voice_that_another_transport_began_goes_on_where_that_was_stopped():
    async def scenario():
        clock, source = MediaClock(), Counting()
        clock.start()
        for _ in range(60):
            source.next_frame()
        await asyncio.sleep(1.0)
        track = AudioOut(source, clock, lambda: 60 * FRAME_SAMPLES)
        frames = [await track.recv() for _ in range(3)]
        assert [frame.to_ndarray()[0, 0] for frame in frames] == [60, 61, 62]
        assert [frame.pts for frame in frames] == [n * FRAME_SAMPLES for n in (60, 61, 62)]
        assert asyncio.get_running_loop().time() == pytest.approx(clock.time_of(62 * FRAME_SAMPLES))

    run(scenario())


def test_a_short_stall_is_caught_up_in_a_burst():
    async def scenario():
        clock = MediaClock()
        track = AudioOut(Counting(), clock)
        await track.recv()
        stall(0.09)
        before_s = asyncio.get_running_loop().time()
        for _ in range(4):
            await track.recv()
        assert asyncio.get_running_loop().time() == before_s
        assert clock.held_s == 0

    run(scenario())


def test_a_long_stall_holds_the_clock_and_skips_nothing_of_what_is_said():
    async def scenario():
        clock, source = MediaClock(), Counting()
        track = AudioOut(source, clock)
        await track.recv()
        stall(0.5)
        frames = [await track.recv() for _ in range(6)]
        assert asyncio.get_running_loop().time() == 0.5  # a burst of what a receiver may buffer
        frames += [await track.recv() for _ in range(4)]
        assert asyncio.get_running_loop().time() == pytest.approx(0.5 + 4 * 0.02)
        assert [frame.to_ndarray()[0, 0] for frame in frames] == list(range(1, 11))
        held = round((0.48 - 0.1) * 48_000)
        assert clock.held_s == pytest.approx(held / 48_000)
        assert [frame.pts for frame in frames] == [i * FRAME_SAMPLES + held for i in range(1, 11)]

    run(scenario())


def test_after_a_stall_the_voice_and_the_face_still_have_the_same_stamps():
    async def scenario():
        clock = MediaClock()
        track = AudioOut(Counting(), clock)
        stamps = {}
        for n in range(40):
            sample = track.position
            stamps[sample] = (await track.recv()).pts
            if n in (10, 25):
                stall(0.31)
                clock.now()  # whoever looks first, holds the clock
        assert clock.held_s == pytest.approx(2 * (0.29 - 0.1), abs=1e-4)

        async def pictures():
            for sample in sorted(stamps):
                yield VideoFrame(np.zeros((96, 64), np.uint8), sample)

        shown = VideoOut(pictures(), clock)
        for sample in sorted(stamps):
            assert (await shown.recv()).pts == stamps[sample] * 90_000 // 48_000

    run(scenario())


def test_whoever_asks_after_a_stall_finds_the_clock_held():
    async def scenario():
        clock = MediaClock()
        track = AudioOut(Counting(), clock)
        await track.recv()
        stall(10.0)
        assert clock.now() == track.position + CATCH_UP_SAMPLES
        assert clock.time_of(clock.now()) == pytest.approx(10.0, abs=1e-4)

    run(scenario())


def test_whoever_waits_for_a_sample_waits_longer_when_the_process_stalls():
    async def scenario():
        clock = MediaClock()
        track = AudioOut(Counting(), clock)

        async def play():
            while True:
                await track.recv()

        async with asyncio.TaskGroup() as group:
            playing = group.create_task(play())
            waiting = group.create_task(clock.reach(48_000))
            await asyncio.sleep(0.501)
            stall(0.5)
            await waiting
            playing.cancel()
        assert asyncio.get_running_loop().time() == pytest.approx(1.0 + clock.held_s, abs=1e-4)
        assert clock.held_s == pytest.approx(0.5 - 0.1 - 0.019, abs=1e-3)

    run(scenario())


def test_a_frame_of_the_wrong_shape_is_an_error():
    class Wrong:
        def next_frame(self):
            return np.zeros(480, np.int16)

    with pytest.raises(ValueError, match="960"):
        run(AudioOut(Wrong(), MediaClock()).recv())


def test_pictures_keep_their_place_on_the_clock_at_any_frame_rate():
    async def pictures(clock):
        await clock.started()
        for sample in (0, 1920, 3840, 7040, 11_040):
            await clock.reach(sample)
            yield VideoFrame(np.full((768, 512), sample % 251, np.uint8), sample)

    async def scenario():
        clock = MediaClock()
        track = VideoOut(pictures(clock), clock)
        frames = [await track.recv() for _ in range(5)]
        assert [f.pts for f in frames] == [0, 3600, 7200, 13_200, 20_700]
        assert all(f.time_base == pytest.approx(1 / 90_000) for f in frames)
        assert (frames[3].width, frames[3].height, frames[3].format.name) == (512, 512, "yuv420p")
        assert (frames[3].to_ndarray() == 7040 % 251).all()
        with pytest.raises(MediaStreamError):
            await track.recv()
        assert track.readyState == "ended"

    run(scenario())


def test_a_picture_is_not_copied():
    i420 = np.zeros((768, 512), np.uint8)

    async def pictures():
        yield VideoFrame(i420, 0)

    async def scenario():
        frame = await VideoOut(pictures(), MediaClock()).recv()
        i420[0, 0] = 99
        assert frame.to_ndarray()[0, 0] == 99

    run(scenario())


def test_a_picture_that_is_not_newer_is_dropped():
    async def pictures():
        for sample in (1920, 1920, 0, 3840):
            yield VideoFrame(np.zeros((768, 512), np.uint8), sample)

    async def scenario():
        track = VideoOut(pictures(), MediaClock())
        assert [(await track.recv()).pts for _ in range(2)] == [3600, 7200]
        assert (track.sent, track.dropped) == (2, 2)

    run(scenario())


@pytest.mark.parametrize("track", [AudioOut, VideoOut])
def test_a_stopped_track_gives_nothing(track):
    async def scenario():
        stopped = track(None, MediaClock())
        stopped.stop()
        with pytest.raises(MediaStreamError):
            await stopped.recv()

    run(scenario())
