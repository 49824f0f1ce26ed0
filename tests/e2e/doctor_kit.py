"""The doctor's page with the real routes behind it, and no models."""

import asyncio
import threading
from types import SimpleNamespace

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Page

from avatar.access.admission import Access
from avatar.routes import doctor
from avatar.routes.errors import answer_errors
from avatar.routes.state import State
from avatar.settings import Settings
from tests.e2e.page.kit import eventually
from tests.e2e.page.stand_in import CONFIG, PATIENCE_S, WEB_CLIENT, wait_until

# A microphone that a test plays into; `echo`: how much of what the page plays comes back.
MICROPHONE = """
globalThis.room = {echo: 0};
const context = new AudioContext();
const mouth = new MediaStreamAudioDestinationNode(context);
const voice = new OscillatorNode(context, {frequency: 220});
room.voice = new GainNode(context, {gain: VOICE});
voice.connect(room.voice).connect(mouth); voice.start();
navigator.mediaDevices.getUserMedia = async () => {
  await context.resume();
  return mouth.stream.clone();
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination && this.context !== context) {
    const tap = new MediaStreamAudioDestinationNode(this.context);
    connect.call(this, tap);
    const back = new MediaStreamAudioSourceNode(context, {mediaStream: tap.stream});
    const room_ = new GainNode(context, {gain: room.echo});
    connect.call(connect.call(back, room_), mouth);
  }
  return connect.call(this, to, ...rest);
};
"""


class DoctorServer:
    """`with DoctorServer() as server:` serves the page in a thread of its own."""

    def __init__(self, settings: Settings | None = None, ice_servers: list | None = None) -> None:
        self.settings = settings or Settings()
        self.config = {**CONFIG, "ice_servers": ice_servers or []}
        self.state = State()
        self.state.access = Access(self.settings)
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), port=0, log_level="warning", lifespan="off")
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "DoctorServer":
        self._thread.start()
        wait_until(lambda: self._server.started, "the server's port")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)

    @property
    def url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/doctor.html"

    def _app(self) -> FastAPI:
        app = FastAPI()
        answer_errors(app)
        app.include_router(doctor.router(self.settings, self.state))
        app.get("/v1/avatar/config")(lambda: self.config)
        app.mount("/", StaticFiles(directory=WEB_CLIENT, html=True))
        return app

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:

            class NoCalls(SimpleNamespace):
                def __len__(self) -> int:
                    return 0

            self.state.calls = NoCalls(tasks=tasks)
            await self._server.serve()


def examined(page: Page, until: str = "") -> dict[str, tuple[str, str]]:
    """Press Start, and wait as `findings` does."""
    page.click("#start")
    return findings(page, until)


def findings(page: Page, until: str = "") -> dict[str, tuple[str, str]]:
    """Wait for the end, or for one finding; what was found, as (status, says) by its key."""

    def found() -> dict[str, tuple[str, str]]:
        rows = page.evaluate("presenciaDoctor.findings")
        known = [(row["what"], row["finding"]) for row in rows if row["finding"]]
        return {what: (finding["status"], finding["says"]) for what, finding in known}

    eventually(page, lambda: page.evaluate("presenciaDoctor.isDone") or until in found())
    return found()
