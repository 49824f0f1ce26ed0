"""The real server on a real port, with scripted stages in the place of models."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from avatar.calls import Calls
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import Settings
from tests.session.held_calls import engines


@dataclass
class LoopbackServer:
    """A server that listens on 127.0.0.1.

    Attributes:
        url: As "http://127.0.0.1:40123".
        calls: That it holds.
        state: Of its application.
    """

    url: str
    calls: Calls
    state: State


@asynccontextmanager
async def serving(settings: Settings, *, log_level: str = "error"):
    """Serve until the block is left; its library logs where the tests do."""
    state = State()
    app = create_app(settings, state)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        log_level=log_level,
        lifespan="off",
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        state.calls = Calls(settings, engines([], []), tasks)
        task = tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn tells by this flag alone
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield LoopbackServer(f"http://127.0.0.1:{port}", state.calls, state)
        finally:
            state.calls.hang_up_all()
            server.should_exit = True
            await task
