"""Who draws the face, in real calls: the server, the client from poses, or nobody."""

import asyncio
import json
from bisect import bisect_left

import numpy as np
import pytest

from avatar.client.call import Call
from avatar.client.measure import mouth_scale
from avatar.client.observer import Observer
from avatar.protocol.poses import POSE_BYTES
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

SPOKEN = "Tell me about the history of Rome."
FRAME_S = 1 / 25


def converse(server: Server, script):
    """Run `script(call, observer)` in a call that has been greeted; its result."""

    async def talk():
        observer = Observer()
        async with Call.connect(server.url, observer) as call:
            assert await call.until(lambda: call.synchronised, 10)
            return await script(call, observer)

    return asyncio.run(talk())


async def speaks(call):
    """Make it speak, and wait until it is heard."""
    call.say_text(SPOKEN)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    assert await call.until(lambda: call.observer.last_loud_s > began_s, 30)


def test_poses_come_instead_of_video_and_each_belongs_to_a_sound(live_server):
    async def script(call, observer):
        await call.choose_face("client")
        await asyncio.sleep(0.5)
        pictures = len(observer.seen) - len(observer.posed)
        await speaks(call)
        await call.until(lambda: not call.answering, 60)
        return pictures, observer

    pictures, observer = converse(live_server, script)
    assert len(observer.seen) - len(observer.posed) <= pictures + 1, "no video meanwhile"
    heard_s = [frame.media_s for frame in observer.heard if frame.media_s is not None]
    posed = [frame for frame in observer.posed if frame.media_s is not None]
    assert len(posed) > 50
    apart_s = [abs(heard_s[bisect_left(heard_s, p.media_s - 0.02)] - p.media_s) for p in posed[:-5]]
    assert max(apart_s) <= FRAME_S
    steps_s = np.diff([frame.media_s for frame in posed])
    assert np.median(steps_s) == pytest.approx(FRAME_S, abs=0.045)
    assert min(steps_s) > 0


def test_the_drawn_mouth_moves_while_it_is_heard_and_rests_in_silence(live_server):
    async def script(call, observer):
        await call.choose_face("client")
        await asyncio.sleep(3)
        await speaks(call)
        await call.until(lambda: not call.answering, 60)
        await asyncio.sleep(2)
        return observer

    observer = converse(live_server, script)
    scale = mouth_scale(observer)
    assert scale is not None
    assert scale.moving > scale.rest + 0.03


def test_a_pose_stream_takes_a_few_kilobytes_a_second(live_server):
    async def script(call, observer):
        await call.choose_face("client")
        await speaks(call)
        before, began_s = len(observer.posed), asyncio.get_running_loop().time()
        await asyncio.sleep(3)
        return (len(observer.posed) - before) / (asyncio.get_running_loop().time() - began_s)

    assert converse(live_server, script) * POSE_BYTES < 3000


def test_switching_while_it_speaks_leaves_the_sound_whole(live_server):
    async def script(call, observer):
        await speaks(call)
        marks = []
        for mode in ("client", "audio", "video", "client", "video"):
            await call.choose_face(mode)
            begun = len(observer.seen), len(observer.posed)
            await asyncio.sleep(1.2)
            seen, posed = len(observer.seen) - begun[0], len(observer.posed) - begun[1]
            marks.append((mode, seen - posed, posed))
        return marks, observer

    marks, observer = converse(live_server, script)
    for mode, pictures, poses in marks:
        # The last pictures of a mode may arrive just after its end.
        assert (pictures > 5) == (mode == "video"), marks
        assert (poses > 8) == (mode == "client"), marks
    times_s = [frame.media_s for frame in observer.heard if frame.media_s is not None]
    gaps_s = np.diff(times_s)
    assert np.median(gaps_s) == pytest.approx(0.02, abs=0.001)
    # The machine may stall, which is heard as a pause; a switch must not be.
    assert np.mean(gaps_s > 0.05) < 0.02


def test_poses_after_a_barge_in_shut_the_mouth(live_server):
    async def script(call, observer):
        await call.choose_face("client")
        await speaks(call)
        await asyncio.sleep(1.5)
        since = len(call.events)
        call.send({"type": "response.cancel"})
        assert await call.event("output_audio_buffer.cleared", since)
        await asyncio.sleep(1)
        begun = len(observer.seen)
        await asyncio.sleep(1)
        return observer.seen[begun:], mouth_scale(observer)

    seen, scale = converse(live_server, script)
    assert len(seen) > 5
    limit = 0.1 if scale is None else scale.moving + 0.05
    assert max(frame.openness for frame in seen) < limit


def test_a_malformed_mode_is_an_error_and_the_call_goes_on(live_server):
    async def script(call, observer):
        for mode in ("hologram", None, 7):
            since = len(call.events)
            call.send({"type": "avatar.face.update", "mode": mode})
            event = await call.event("error", since)
            assert event is not None
            assert event.body["error"]["param"] == "mode"
        await call.choose_face("audio")
        return call.face

    assert converse(live_server, script) == "audio"


def test_without_the_channel_a_client_that_asks_to_draw_gets_video_and_hears_why(live_server):
    async def script(call, observer):
        since = len(call.events)
        call.send({"type": "avatar.face.update", "mode": "client"})
        event = await call.event("avatar.face.updated", since)
        return json.loads(json.dumps(event.body))

    body = converse(live_server, script)
    assert (body["mode"], body["reason"]) == ("video", "drawing")
