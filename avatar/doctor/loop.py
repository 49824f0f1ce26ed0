"""The far end of a trial call: real WebRTC without an avatar, for whoever looks for a fault.

It takes no place of a call: it plays a tone, shows a small picture, counts what it hears, and
answers every message on the data channel with what it has counted so far.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator

import numpy as np
from numpy.typing import NDArray

from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from avatar.rtc.tracks import FRAME_SAMPLES
from avatar.settings import RtcSettings
from render.types import SPEECH_CLOCK_HZ, VideoFrame
from speech.errors import ServerFullError

_log = logging.getLogger(__name__)

MAX_TRIALS = 6
"""At once: one per relay URL of a page, and some more. One costs about 3 % of a core."""

TRIAL_S = 20.0
"""A trial ends by itself: a path that works is found in 2 s, one that doesn't in 10 s."""

RETRY_AFTER_S = 10
_TONE_HZ = 400
_TONE_PEAK = 1500
_PICTURE_PX = 160
_PICTURES_PER_S = 10
_ECHO_CHARACTERS = 64


class _Tone:
    """A `FrameSource`: a quiet tone, whole periods a frame."""

    def __init__(self) -> None:
        turns = 2 * np.pi * _TONE_HZ * np.arange(FRAME_SAMPLES) / SPEECH_CLOCK_HZ
        self._frame = (_TONE_PEAK * np.sin(turns)).astype(np.int16)

    def next_frame(self) -> NDArray[np.int16]:
        """20 ms of it."""
        return self._frame


async def _pictures(clock: MediaClock) -> AsyncGenerator[VideoFrame, None]:
    """A bright bar that wanders over grey."""
    step = SPEECH_CLOCK_HZ // _PICTURES_PER_S
    sample = 0
    while True:
        await clock.reach(sample)
        picture = np.full((_PICTURE_PX * 3 // 2, _PICTURE_PX), 128, np.uint8)
        left = sample // step * 8 % (_PICTURE_PX - 16)
        picture[:_PICTURE_PX, left : left + 16] = 220
        yield VideoFrame(picture, sample)
        sample += step


class Trials:
    """The trial calls under way, at most `MAX_TRIALS`, each at most `TRIAL_S` long."""

    def __init__(self, settings: RtcSettings) -> None:
        self._settings = settings
        self._places_taken = 0

    async def start(self, offer_sdp: str, tasks: asyncio.TaskGroup) -> str:
        """Answer an offer.

        Args:
            offer_sdp: As for a call.
            tasks: Owns the trial.

        Returns:
            The answer SDP.

        Raises:
            ServerFullError: Too many trials are under way.
            SignallingError: The offer can't be answered.
        """
        if self._places_taken >= MAX_TRIALS:
            raise ServerFullError(
                f"Too many trials are under way; try again in {RETRY_AFTER_S} seconds."
            )
        self._places_taken += 1
        try:
            clock = MediaClock()
            peer = await Peer.answer(
                offer_sdp,
                audio=_Tone(),
                video=_pictures(clock),
                clock=clock,
                settings=self._settings,
            )
        except BaseException:
            self._places_taken -= 1
            raise
        tasks.create_task(self._hold(peer), name="trial")
        return peer.answer_sdp

    async def _hold(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(TRIAL_S):
                await _answer_messages(peer)
        except TimeoutError:
            pass
        except Exception:  # noqa: BLE001 - a failed trial ends itself, never a call or the server
            _log.exception("trial failed")
        finally:
            self._places_taken -= 1
            await peer.close()


async def _answer_messages(peer: Peer) -> None:
    heard_samples = 0
    loudest = 0

    async def listen() -> None:
        nonlocal heard_samples, loudest
        async for frame in peer.microphone():
            heard_samples += len(frame.pcm)
            loudest = max(loudest, int(np.abs(frame.pcm.astype(np.int32)).max(initial=0)))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        async for message in peer.events_in():
            counted = {
                "type": "avatar.diagnosis.echo",
                "text": message[:_ECHO_CHARACTERS],
                "heard_ms": heard_samples // 16,
                "loudest": round(loudest / 32768, 4),
            }
            peer.send(json.dumps(counted))
