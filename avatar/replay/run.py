"""Holds a call with a headless person, and records it."""

import asyncio
from pathlib import Path

from avatar.engines import Engines
from avatar.events import new_id
from avatar.protocol.config import CallConfig
from avatar.protocol.realtime import Realtime
from avatar.recording.about import header
from avatar.recording.reading import RecordedCall, read_call
from avatar.replay.headless import HeadlessPeer, Person
from avatar.replay.virtual_clock import VirtualClockLoop
from avatar.session import Session
from avatar.settings import Settings
from avatar.telemetry.turns import Telemetry
from avatar.terms import NEW_CALL, Terms

QUIET_S = 2.0
"""The avatar may still be about to speak when it has listened for less than this: longer than
the longest silence that ends a turn, and what an answer takes to begin."""

PATIENCE_S = 30.0
"""For the last answer to end once the person is done."""


async def hold_call(
    person: Person,
    config: CallConfig,
    engines: Engines,
    settings: Settings,
    *,
    root: Path,
    seed: int = 0,
    video: bool = False,
    terms: Terms = NEW_CALL,
) -> RecordedCall:
    """Let a person call; returns what happened, which stays recorded below `root`.

    Args:
        person: Who calls.
        config: What their client asks for.
        engines: The stages.
        settings: The server's.
        root: Where to record.
        seed: Of the face's movement.
        video: Whether to draw and encode the face; if not, the person's client draws it.
        terms: On which the call is held.

    Raises:
        OSError: It can't be recorded.
        CallRecordingError: It wasn't recorded to its end.
    """
    call_id = new_id("rtc")
    bitrate_bps = settings.rtc.video_bitrate_bps if video else None
    session = Session.over(
        lambda playout, frames, clock: HeadlessPeer(person, playout, frames, clock, bitrate_bps),
        call_id,
        config,
        Realtime,
        engines,
        settings,
        Telemetry(),
        seed,
        terms,
    )
    peer = session.peer
    assert isinstance(peer, HeadlessPeer)
    is_virtual = isinstance(asyncio.get_running_loop(), VirtualClockLoop)
    about = header(
        call_id,
        config,
        settings,
        seed=seed,
        takes_video=video,
        source="replay",
        clock="virtual" if is_virtual else "real",
    )
    recorder = session.record(root, about)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session.run(), name="session")
        watching = tasks.create_task(peer.run(), name="peer")
        await person.done()
        await peer.settled(QUIET_S, PATIENCE_S)
        session.hang_up()
        await asyncio.wait([running, watching])
    recorder.wait()
    return read_call(recorder.folder)
