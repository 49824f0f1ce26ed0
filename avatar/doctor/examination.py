"""Everything that `presencia doctor` looks at, in the order in which it is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from avatar.doctor import installation, machine, media, network
from avatar.doctor.findings import Finding, failed
from avatar.doctor.loop import Trials
from avatar.settings import Settings, at_address
from avatar.store import ModelStore
from speech.errors import PresenciaError


async def examine(
    config: Path | None, url: str = "", port: int | None = None, *, hash_models: bool = True
) -> AsyncIterator[Finding]:
    """Look at this machine and at the server, which may run or not.

    Args:
        config: The settings file; None: as `presencia serve` finds it.
        url: Of the running server; "": where the settings put it.
        port: In place of the settings', as for `presencia serve --port`.
        hash_models: Read every model file and compare its checksum.

    Raises:
        ConfigError: There is no such port.
    """
    found, settings = installation.config(config)
    settings = at_address(settings, None, port)
    yield found
    yield machine.versions()
    store = ModelStore.default()
    yield machine.disk(store.cache, installation.missing_bytes(store, settings))
    yield machine.memory()
    yield await machine.cpu(settings.server.max_calls)
    yield await asyncio.to_thread(machine.gpu)
    yield await asyncio.to_thread(media.codecs)
    for finding in await asyncio.to_thread(
        lambda: list(installation.models(store, settings, hash_them=hash_models))
    ):
        yield finding
    async for finding in _network(settings, url):
        yield finding


async def _network(settings: Settings, url: str) -> AsyncIterator[Finding]:
    running = network.Running(url or network.own_url(settings.server))
    yield await network.port(running) if url else await network.own_port(settings.server, running)
    yield network.page_address(settings.server)
    yield network.media_addresses(settings.rtc)
    yield await _call(settings, running)
    async for finding in network.ice_servers(settings.rtc):
        yield finding


async def _call(settings: Settings, running: network.Running) -> Finding:
    """A trial call: to the server if it admits us, else to a far end made for the occasion."""
    loopback = settings.rtc.offer_loopback
    try:
        if await running.admits():
            return await media.webrtc_loop(running.try_call, offer_loopback=loopback)
        async with asyncio.TaskGroup() as tasks:
            trials = Trials(settings.rtc)
            return await media.webrtc_loop(
                lambda offer: trials.start(offer, tasks), offer_loopback=loopback
            )
    except PresenciaError as error:
        fix = "If the message does not say what to do, look at the server's log."
        return failed("webrtc over udp", str(error), fix)
