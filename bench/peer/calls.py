"""Calls of the peer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from avatar.client.call import Call
from avatar.client.observer import Observer
from bench.peer.rtvi import CLIENT_READY, READY, PipecatSignaller
from bench.side import Connect
from speech.errors import CallError

_START_TIMEOUT_S = 20.0


def pipecat(url: str) -> Connect:
    """Calls of the Pipecat bot at `url`."""

    @asynccontextmanager
    async def connect(observer: Observer) -> AsyncGenerator[Call]:
        async with Call.connect(PipecatSignaller(url), observer) as call:
            call.send(CLIENT_READY)
            if await call.event(READY, timeout_s=_START_TIMEOUT_S) is None:
                raise CallError("The peer took the call, but its pipeline does not start.")
            yield call

    return connect
