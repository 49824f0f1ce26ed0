"""Decides what of the kiosk must be restarted, and why. Pure: the time and the facts are handed in.

what is seen                          restarted   when
the page is silent                    browser     at once, then less and less often
the page draws nothing, or threw      page        at once; then the browser, if that is no help
the page holds too much memory        page        when nobody is there
a model's thread is busy for too long service     at once
the models don't load                 service     at once
the event loop was late, three times  service     when nobody is there
the service holds too much memory     service     when nobody is there
it is night                           both        when nobody is there
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from avatar.kiosk.settings import KioskSettings

Part = Literal["page", "browser", "service"]
Why = Literal[
    "silent",
    "frozen",
    "error",
    "memory",
    "stuck",
    "late",
    "not_ready",
    "nightly",
    "exited",
    "staff",
]

BEAT_EVERY_S = 2.0
"""How often the page says that it lives."""
_SILENT_S = 15.0
_FIRST_BEAT_S = 90.0  # Chromium's first start, on a machine that loads models meanwhile
_FROZEN_S = 12.0
_RELOAD_HELPS_S = 20.0
_RELOAD_DID_NOT_HELP_S = 60.0
_BACKOFF_S = (0.0, 60.0, 120.0, 300.0, 600.0)
_WELL_S = 300.0
_STUCK_S = 60.0
_LATE_S = 5.0
_LATE_TIMES = 3
_LATE_WITHIN_S = 600.0
_READY_WITHIN_S = 1800.0  # a first start fetches the models
_QUIET_S = 60.0
_UP_BEFORE_NIGHTLY_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What the page says of itself.

    Attributes:
        screen: What it shows.
        occupied: Whether a visitor is there, or staff.
        frames: How many times the browser was seen to draw since the last beat.
        errors: Uncaught errors since the page was loaded.
        heap_mb: JavaScript memory.
        visits: Begun since the last beat.
        camera: Whether one works.
        microphone: Whether one works.
    """

    screen: str
    occupied: bool
    frames: int
    errors: int = 0
    heap_mb: float = 0.0
    visits: int = 0
    camera: bool = False
    microphone: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the service knows of itself at a moment.

    Attributes:
        ready: Whether the models are loaded.
        busy_s: For how long the slowest of the models' threads has been at its present work.
        late_s: How late the event loop was just now.
        rss_mb: Memory of the process.
        calls: Under way, the idling face of the kiosk included.
        hour: Local time of day, in hours.
    """

    ready: bool
    busy_s: float
    late_s: float
    rss_mb: float
    calls: int
    hour: float


@dataclass(frozen=True, slots=True)
class Restart:
    """What must be restarted."""

    part: Part
    why: Why
    detail: str


class Watchdog:
    """Told of every beat, asked about every second.

    Args:
        settings: The limits.
        now_s: Of the event loop's clock.
    """

    def __init__(self, settings: KioskSettings, now_s: float) -> None:
        self._settings = settings
        self._began_s = now_s
        self.beat: Beat | None = None
        self._beat_s = now_s
        self._beating_since_s: float | None = None
        self._moved_s = now_s
        self._reloaded: tuple[Why, float] | None = None
        self._browser_s: float | None = None
        self._browser_tries = 0
        self._occupied_s = now_s
        self._errors = 0
        self._was_late: deque[float] = deque(maxlen=_LATE_TIMES)

    def hear(self, beat: Beat, now_s: float) -> None:
        """The page lives."""
        if self._beating_since_s is None or now_s - self._beat_s > _SILENT_S:
            self._beating_since_s = now_s
            self._moved_s = now_s
        if beat.frames > 0:
            self._moved_s = now_s
        if beat.occupied:
            self._occupied_s = now_s
        if beat.errors < self._errors:
            self._errors = 0  # A new page.
        self.beat = beat
        self._beat_s = now_s
        if now_s - self._beating_since_s >= _WELL_S:
            self._browser_tries = 0

    def browser_started(self, now_s: float) -> None:
        """A new browser needs time to its first beat."""
        self.beat = None
        self._beating_since_s = None
        self._beat_s = now_s
        self._moved_s = now_s

    def silent_s(self, now_s: float) -> float:
        """For how long the page has said nothing."""
        return now_s - self._beat_s

    def is_quiet(self, facts: Facts, now_s: float) -> bool:
        """Whether nobody is there, and nobody was in the last minute."""
        own = 1 if self.beat is not None and self.beat.screen in ("attract", "welcome") else 0
        return now_s - self._occupied_s >= _QUIET_S and facts.calls <= own

    def look(self, facts: Facts, now_s: float) -> Restart | None:
        """What to restart now, if anything; each is told once."""
        if facts.ready and facts.late_s > _LATE_S:
            self._was_late.append(now_s)
        return self._service(facts, now_s) or self._page(facts, now_s)

    def _service(self, facts: Facts, now_s: float) -> Restart | None:
        settings, up_s = self._settings, now_s - self._began_s
        if facts.busy_s > _STUCK_S:
            return Restart("service", "stuck", f"a model has been busy for {facts.busy_s:.0f} s")
        if not facts.ready:
            if up_s > _READY_WITHIN_S:
                return Restart("service", "not_ready", f"no models after {up_s:.0f} s")
            return None
        if not self.is_quiet(facts, now_s):
            return None
        if len(self._was_late) == _LATE_TIMES and now_s - self._was_late[0] < _LATE_WITHIN_S:
            return Restart("service", "late", f"the event loop was late {_LATE_TIMES} times")
        if facts.rss_mb > settings.service_memory_mb:
            return Restart("service", "memory", f"{facts.rss_mb:.0f} MB")
        is_night = settings.restart_hour >= 0 and 0 <= facts.hour - settings.restart_hour < 1
        if is_night and up_s > _UP_BEFORE_NIGHTLY_S:
            return Restart("service", "nightly", f"after {up_s / 3600:.0f} hours")
        return None

    def _page(self, facts: Facts, now_s: float) -> Restart | None:
        silent_s = self.silent_s(now_s)
        if silent_s > (_SILENT_S if self.beat is not None else _FIRST_BEAT_S):
            return self._browser("silent", f"no beat for {silent_s:.0f} s", now_s)
        beat = self.beat
        if beat is None:
            return None
        frozen_s = self._beat_s - self._moved_s
        if frozen_s > _FROZEN_S:
            return self._reload("frozen", f"no picture for {frozen_s:.0f} s", now_s)
        if beat.errors > self._errors:
            self._errors = beat.errors
            return self._reload("error", f"{beat.errors} uncaught", now_s)
        too_much = beat.heap_mb > self._settings.page_memory_mb
        if too_much and self.is_quiet(facts, now_s):
            return self._reload("memory", f"{beat.heap_mb:.0f} MB", now_s)
        return None

    def _reload(self, why: Why, detail: str, now_s: float) -> Restart | None:
        last_why, last_s = self._reloaded or (why, -_RELOAD_DID_NOT_HELP_S)
        if now_s - last_s < _RELOAD_HELPS_S:
            return None
        if why == last_why != "memory" and now_s - last_s < _RELOAD_DID_NOT_HELP_S:
            return self._browser(why, f"{detail}, and a reload did not help", now_s)
        self._reloaded = (why, now_s)
        return Restart("page", why, detail)

    def _browser(self, why: Why, detail: str, now_s: float) -> Restart | None:
        wait_s = _BACKOFF_S[min(self._browser_tries, len(_BACKOFF_S) - 1)]
        if self._browser_s is not None and now_s - self._browser_s < wait_s:
            return None
        self._browser_tries += 1
        self._browser_s = now_s
        self._reloaded = None
        self.browser_started(now_s)
        return Restart("browser", why, detail)
