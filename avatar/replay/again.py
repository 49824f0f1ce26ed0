"""Runs recorded calls again."""

import asyncio
from pathlib import Path

from avatar.engines import Engines
from avatar.protocol.config import CallConfig
from avatar.recording.format import Clock
from avatar.recording.reading import RecordedCall
from avatar.replay import virtual_clock
from avatar.replay.recorded import RecordedPerson
from avatar.replay.run import hold_call
from avatar.replay.simulated import simulated_engines
from avatar.settings import Settings


def replay(call: RecordedCall, settings: Settings, clock: Clock, root: Path) -> RecordedCall:
    """Run a recorded call through today's code; returns what happened, recorded below `root`.

    Args:
        call: The recording.
        settings: Today's.
        clock: `real`: it takes as long as the call did, and latency is what it is on this machine.
            `virtual`: the same each time, as fast as the models allow, and latency is made up.
        root: Where to record.

    Raises:
        PresenciaError: The models can't be loaded.
        OSError: It can't be recorded.
    """
    if clock == "virtual":
        with simulated_engines(settings) as engines:
            return virtual_clock.run(_replay(call, engines, settings, root, video=False))
    return asyncio.run(_replay_now(call, settings, root))


async def _replay_now(call: RecordedCall, settings: Settings, root: Path) -> RecordedCall:
    async with Engines.loaded(settings) as engines:
        return await _replay(call, engines, settings, root, video=call.header.takes_video)


async def _replay(
    call: RecordedCall, engines: Engines, settings: Settings, root: Path, *, video: bool
) -> RecordedCall:
    config = CallConfig.model_validate(call.header.session)
    return await hold_call(
        RecordedPerson(call),
        config.model_copy(update={"language": call.header.language}),
        engines,
        settings,
        root=root,
        seed=call.header.seeds.get("face", 0),
        video=video,
    )
