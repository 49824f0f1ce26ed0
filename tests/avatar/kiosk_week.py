"""A week of a kiosk's machine around its watchdog: hangs, leaks and people."""

import random
from dataclasses import dataclass, field

from avatar.kiosk.settings import KioskSettings
from avatar.kiosk.watchdog import BEAT_EVERY_S, Beat, Facts, Restart, Watchdog

STEP_S = 2.0
HOUR_S = 3600.0
PAGE_RELOADS_S = 3.0
BROWSER_STARTS_S = 10.0
SERVICE_STARTS_S = 20.0
LEAK_MB_PER_S = 20 / HOUR_S


@dataclass
class Machine:
    """What can go wrong is data: when a part hangs, and whether a restart helps it."""

    seed: int = 1
    settings: KioskSettings = field(default_factory=KioskSettings)
    now_s: float = 0.0
    page: str = "well"  # or silent, frozen, throwing
    page_back_s: float = 0.0
    service_back_s: float = 0.0
    busy_since_s: float | None = None
    rss_mb: float = 1700.0
    leaks_mb_per_s: float = LEAK_MB_PER_S
    heap_mb: float = 12.0
    occupied: bool = False
    errors: int = 0
    restarts: list[tuple[float, Restart, bool]] = field(default_factory=list)
    down_since_s: float | None = None
    outages_s: list[float] = field(default_factory=list)

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.dog = Watchdog(self.settings, 0.0)

    @property
    def hour(self):
        return (self.now_s / HOUR_S + 8) % 24  # the week begins at eight

    @property
    def works(self):
        service = self.now_s >= self.service_back_s and self.busy_since_s is None
        return service and self.page == "well" and self.now_s >= self.page_back_s

    def run(self, for_s):
        end_s = self.now_s + for_s
        while self.now_s < end_s:
            self.now_s += STEP_S
            self.step()

    def step(self):
        self.note_outage()
        if self.now_s < self.service_back_s:
            return
        self.rss_mb += self.leaks_mb_per_s * STEP_S
        if self.page != "silent" and self.now_s >= self.page_back_s:
            self.dog.hear(self.beat(), self.now_s)
        busy_s = self.now_s - self.busy_since_s if self.busy_since_s is not None else 0.0
        facts = Facts(True, busy_s, 0.001, self.rss_mb, 1, self.hour)
        restart = self.dog.look(facts, self.now_s)
        if restart is not None:
            self.restarts.append((self.now_s, restart, self.occupied))
            self.obey(restart)

    def beat(self):
        if self.page == "throwing":
            self.errors = 1
        screen = "call" if self.occupied else "attract"
        frames = 0 if self.page == "frozen" else round(60 * BEAT_EVERY_S)
        return Beat(screen, self.occupied, frames, self.errors, self.heap_mb)

    def obey(self, restart):
        back_s = {"page": PAGE_RELOADS_S, "browser": BROWSER_STARTS_S, "service": 0.0}
        self.page_back_s = self.now_s + back_s[restart.part]
        if restart.part != "service":
            # A frozen compositor is the browser's: a reload does not help it.
            if restart.part == "browser" or self.page == "throwing":
                self.page = "well"
            self.errors, self.heap_mb = 0, 12.0
            return
        self.service_back_s = self.now_s + SERVICE_STARTS_S
        self.busy_since_s, self.rss_mb = None, 1700.0
        self.dog = Watchdog(self.settings, self.service_back_s)

    def note_outage(self):
        if self.works:
            if self.down_since_s is not None:
                self.outages_s.append(self.now_s - self.down_since_s)
            self.down_since_s = None
        elif self.down_since_s is None:
            self.down_since_s = self.now_s

    def why(self, part):
        return [restart.why for _, restart, _ in self.restarts if restart.part == part]
