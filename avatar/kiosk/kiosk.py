"""The service's side of the kiosk: hears the page, watches, restarts, reports."""

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from avatar.kiosk.choices import ChoicesFile
from avatar.kiosk.notify import Systemd
from avatar.kiosk.reports import Reports
from avatar.kiosk.settings import KioskSettings
from avatar.kiosk.staff import Staff
from avatar.kiosk.watchdog import Beat, Facts, Restart, Watchdog
from speech.types import Language

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_END_WITHIN_S = 20.0
_EXIT_STATUS = 75  # EX_TEMPFAIL: whoever started the service starts it again
_SHOWN_REPORTS = 20


class Kiosk:
    """One kiosk; `run` watches it for as long as the service lives.

    Args:
        settings: Section `[kiosk]`.
        languages: That the avatar speaks.
        registry: Gets the metrics.
        wall: Local time, for the night's restart and the reports.

    Attributes:
        staff: Who may change it.
        choices: What they changed.
        reports: What was restarted, and why.
        browser: How many times the browser was to be restarted: the launcher watches it grow.
        visits: Since the service started.
        started: Names this start of the service.
        end_service: Ends the service; whoever started it starts it again.
        facts: The newest.
    """

    def __init__(
        self,
        settings: KioskSettings,
        languages: tuple[Language, ...],
        registry: CollectorRegistry,
        wall: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self.staff = Staff(settings.root)
        self.choices = ChoicesFile(settings.root)
        self.reports = Reports(settings.root)
        self.browser = 0
        self.visits = 0
        self.started = secrets.token_hex(8)
        self.end_service: Callable[[], None] = lambda: None
        self.facts: Facts | None = None
        self._settings = settings
        self._languages = languages
        self._wall = wall
        self._watchdog: Watchdog | None = None
        self._reload_why = ""
        self._systemd = Systemd()
        self._restarts = Counter(
            "presencia_kiosk_restarts",
            "Restarts of the kiosk's parts, by what and why",
            ["part", "why"],
            registry=registry,
        )
        visits = Gauge("presencia_kiosk_visits", "Visits since the start", registry=registry)
        visits.set_function(lambda: self.visits)
        silent = Gauge(
            "presencia_kiosk_page_silent_seconds", "Since the page's last beat", registry=registry
        )
        heap = Gauge("presencia_kiosk_page_memory_bytes", "JavaScript heap", registry=registry)
        silent.set_function(lambda: self._watchdog.silent_s(self._now_s()) if self._watchdog else 0)
        heap.set_function(lambda: 2**20 * self._beat.heap_mb if self._beat else 0)

    @property
    def settings(self) -> KioskSettings:
        """As staff want them, with the languages spelt out."""
        settings = self.choices.applied(self._settings)
        wanted = settings.languages or self._languages
        return settings.model_copy(
            update={"languages": tuple(code for code in wanted if code in self._languages)}
        )

    @property
    def _beat(self) -> Beat | None:
        return self._watchdog.beat if self._watchdog else None

    def hear(self, beat: Beat) -> str:
        """The page lives; why it should reload itself, or "" if it need not."""
        if self._watchdog is not None:
            self._watchdog.hear(beat, self._now_s())
        self.visits += beat.visits
        why, self._reload_why = self._reload_why, ""
        return why

    def browser_ended(self, detail: str) -> None:
        """The launcher's browser has ended by itself, and is started again."""
        self._note(Restart("browser", "exited", detail))
        if self._watchdog is not None:
            self._watchdog.browser_started(self._now_s())

    def restart(self, restart: Restart) -> None:
        """Have a part restarted, and write it down."""
        self._note(restart)
        if restart.part == "page":
            self._reload_why = restart.why
        if restart.part == "browser":
            self.browser += 1
        if restart.part == "service":
            self._systemd.tell("STOPPING=1", f"STATUS=Restarting: {restart.why}")
            _insist_on_ending()
            self.end_service()

    def status(self) -> dict[str, object]:
        """What `GET /v1/kiosk/status` answers."""
        beat, facts = self._beat, self.facts
        silent_s = self._watchdog.silent_s(self._now_s()) if self._watchdog else None
        return {
            "page": None
            if beat is None
            else {
                "screen": beat.screen,
                "occupied": beat.occupied,
                "silent_s": round(silent_s or 0, 1),
                "memory_mb": beat.heap_mb,
                "camera": beat.camera,
                "microphone": beat.microphone,
                "errors": beat.errors,
            },
            "browser": {"restarts_wanted": self.browser},
            "started": self.started,
            "service": None
            if facts is None
            else {
                "ready": facts.ready,
                "memory_mb": round(facts.rss_mb, 1),
                "late_ms": round(1000 * facts.late_s, 1),
                "busy_s": round(facts.busy_s, 1),
                "calls": facts.calls,
            },
            "visits": self.visits,
            "reports": self.reports.newest(_SHOWN_REPORTS),
        }

    async def run(self, read_facts: Callable[[float, float], Facts]) -> None:
        """Watch until cancelled.

        Args:
            read_facts: Given the loop's lateness in s and the local hour: the facts of now.
        """
        loop = asyncio.get_running_loop()
        self._watchdog = Watchdog(self._settings, loop.time())
        told_ready = False
        while True:
            planned_s = loop.time() + _LOOK_EVERY_S
            await asyncio.sleep(_LOOK_EVERY_S)
            wall = self._wall()
            hour = wall.hour + wall.minute / 60
            self.facts = facts = read_facts(max(0.0, loop.time() - planned_s), hour)
            restart = self._watchdog.look(facts, loop.time())
            if restart is not None:
                self.restart(restart)
                if restart.part == "service":
                    return  # and systemd's own watchdog is told nothing more
            if facts.ready and not told_ready:
                told_ready = True
                self._systemd.tell("READY=1", "STATUS=Serving")
            self._systemd.tell("WATCHDOG=1")

    def _note(self, restart: Restart) -> None:
        self._restarts.labels(restart.part, restart.why).inc()
        self.reports.add(restart, self._wall())

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _insist_on_ending() -> None:
    """End the process by force if it does not end by itself: a stuck thread can't be ended."""
    timer = threading.Timer(_END_WITHIN_S, os._exit, (_EXIT_STATUS,))
    timer.daemon = True
    timer.start()
