"""A kiosk for tests of its page: the stand-in server with the service's own kiosk routes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

from fastapi import FastAPI

from avatar.kiosk.kiosk import Kiosk
from avatar.kiosk.settings import KioskSettings
from avatar.kiosk.watchdog import Facts
from avatar.routes import kiosk as kiosk_routes
from avatar.routes.errors import answer_errors
from avatar.routes.state import State
from avatar.settings import Settings
from avatar.telemetry.metrics import Metrics
from tests.e2e.page.stand_in import StandIn

PIN = "271828"
# Long limits: on a busy machine no visit ends but in the tests that wait for it.
SETTINGS = {"idle_s": 60, "countdown_s": 60, "choose_s": 60, "camera": True, "voice": True}

# A hall whose camera sees whoever `person.here` says, and whose microphone hears `person.shout`.
HALL = """
globalThis.person = {here: false, camera: true, spoken: 0};
const context = new AudioContext({sampleRate: 48000});
const mouth = context.createMediaStreamDestination();
const tone = new OscillatorNode(context, {frequency: 220});
const loud = new GainNode(context, {gain: 0});
tone.connect(loud).connect(mouth); tone.start();
person.shout = async (gain) => { await context.resume(); loud.gain.value = gain; };
const hall = Object.assign(document.createElement("canvas"), {width: 160, height: 120});
const paper = hall.getContext("2d");
let walked = 0;
setInterval(() => {
  paper.fillStyle = "#8a8680"; paper.fillRect(0, 0, 160, 120);
  paper.fillStyle = "#2c2a28"; if (person.here) paper.fillRect(30 + (walked++ % 60), 24, 34, 96);
}, 150);
navigator.mediaDevices.getUserMedia = async ({audio, video}) => {
  if (audio) return mouth.stream.clone();
  if (!person.camera) throw new DOMException("pulled", "NotFoundError");
  person.eye = hall.captureStream(10);
  return person.eye;
};
"""


class KioskStandIn(StandIn):
    """The stand-in, with `self.kiosk` beside it; `wiped` counts how often it was told to forget."""

    def __init__(self, folder: Path, **settings: object) -> None:
        made = KioskSettings(enabled=True, state_folder=folder, **{**SETTINGS, **settings})
        self.kiosk = Kiosk(made, ("en", "es"), Metrics().registry)
        self.kiosk.staff.set_pin(PIN)
        self.wiped: list[str] = []
        engines = SimpleNamespace(forgetting=())
        self.state = State(SimpleNamespace(hang_up_all=self.wiped.append, engines=engines))
        self.state.kiosk = self.kiosk
        self._kiosk_settings = Settings(kiosk=made)
        super().__init__()

    def _routes(self) -> FastAPI:
        app = super()._routes()
        answer_errors(app)
        # The page's files come last, or they are found in place of the routes.
        files = app.routes.pop()
        app.include_router(kiosk_routes.router(self._kiosk_settings, self.state))
        app.routes.append(files)
        return app

    async def _serve(self) -> None:
        """Serve, and watch as the service does."""

        def facts(late_s: float, hour: float) -> Facts:
            return Facts(True, 0, late_s, 100, len(self.calls), hour)

        watch = asyncio.get_running_loop().create_task(self.kiosk.run(facts))
        try:
            await super()._serve()
        finally:
            watch.cancel()
