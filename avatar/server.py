"""The HTTP server: its routes, what every answer carries, and its life."""

import asyncio
import gc
import socket
from dataclasses import replace
from functools import partial

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from avatar.access.admission import Access
from avatar.access.guard import guard
from avatar.calls import Calls
from avatar.engines import LANGUAGES, Engines
from avatar.face.files import face_files
from avatar.face.library import face_folder, face_url
from avatar.kiosk.facts import facts_of
from avatar.kiosk.kiosk import Kiosk
from avatar.recording.retention import keep_promise
from avatar.routes import (
    about,
    calls,
    client_secrets,
    doctor,
    kiosk,
    queue,
    realtime_ws,
    small_webrtc,
    voice_live,
    whep,
)
from avatar.routes.documented import refusals
from avatar.routes.errors import answer_errors
from avatar.routes.state import State
from avatar.settings import Settings
from avatar.store.data import data_folder
from avatar.telemetry.turns import Telemetry
from avatar.tools.connected import server_tools
from speech.errors import PresenciaError

_GRACE_S = 3  # for requests under way when the server ends; a queue's stream would go on for ever


def create_app(settings: Settings, state: State) -> FastAPI:
    """The application; its calls run in `state.calls`."""
    app = FastAPI(title="Presencia", docs_url=None, redoc_url=None, responses=refusals(403, 422))
    state.telemetry.metrics.count_calls(lambda: len(state.calls) if state.calls else 0)
    answer_errors(app)
    state.access = Access(settings)
    guard(app, settings, state.access)
    if settings.kiosk.enabled:
        state.kiosk = Kiosk(settings.kiosk, LANGUAGES, state.telemetry.metrics.registry)
    for door in (
        calls,
        realtime_ws,
        voice_live,
        small_webrtc,
        whep,
        queue,
        client_secrets,
        about,
        doctor,
        kiosk,
    ):
        app.include_router(door.router(settings, state))
    folder = face_folder(settings.face.name)
    app.include_router(face_files(folder), prefix=face_url(settings.face.name).rstrip("/"))
    app.mount("/", StaticFiles(directory=data_folder("web_client"), html=True), name="page")
    return app


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Load the models and serve until interrupted.

    Raises:
        PresenciaError: The models can't be loaded, or the settings don't fit the installation.
    """
    async with Telemetry.started(settings) as telemetry:
        await _serve(settings, listener, State(telemetry=telemetry))


async def _serve(settings: Settings, listener: socket.socket, state: State) -> None:
    http = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, state),
            log_config=None,  # its loggers write where ours do, without tokens
            log_level="warning",
            access_log=False,  # paths name calls and tickets, and nobody needs a list of them
            lifespan="off",
            proxy_headers=False,  # the application knows which proxies to believe
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=settings.server.tls_certificate,
            ssl_keyfile=settings.server.tls_key,
        )
    )
    failure: PresenciaError | None = None
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(http.serve(sockets=[listener]), name="http")
        beside = [tasks.create_task(keep_promise(settings.recording), name="retention")]
        if state.kiosk is not None:
            state.kiosk.end_service = partial(setattr, http, "should_exit", True)
            facts = facts_of(lambda: None if state.calls is None else len(state.calls))
            beside.append(tasks.create_task(state.kiosk.run(facts), name="kiosk"))
        try:
            async with (
                Engines.loaded(settings) as models,
                server_tools(settings.tools) as tools,
                asyncio.TaskGroup() as call_tasks,
            ):
                engines = replace(models, tools=tools)
                state.calls = held = Calls(settings, engines, call_tasks, state.telemetry)
                gc.collect()
                gc.freeze()  # what is there now stays, and is looked at no more
                host, port = listener.getsockname()[:2]
                scheme = "https" if settings.server.tls_certificate else "http"
                # For whoever started us, a person or `presencia bench`.
                print(f"Presencia is ready at {scheme}://{host}:{port}", flush=True)  # noqa: T201
                await asyncio.wait([serving])
                state.calls = None
                held.hang_up_all()
        except PresenciaError as error:
            failure = error  # raised below, or the group would wrap it
            http.should_exit = True
        finally:
            for task in beside:
                task.cancel()
    if failure is not None:
        raise failure
