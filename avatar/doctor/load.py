"""How busy this machine is, measured for a moment."""

import asyncio
from dataclasses import dataclass

import psutil

from avatar.cores import usable_cores

_MOMENT_S = 0.5
_STEP_S = 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured.

    Attributes:
        cores: That this process may use.
        busy: Share of the machine's CPU time that was used, by anyone, in [0, 1].
        late_ms: By how much the event loop woke too late, at worst.
    """

    cores: int
    busy: float
    late_ms: float

    @property
    def idle_cores(self) -> float:
        """Cores' worth of CPU time that nobody used."""
        return self.cores * (1 - self.busy)


async def measure_load(moment_s: float = _MOMENT_S) -> Load:
    """Watch the machine for a moment."""
    loop = asyncio.get_running_loop()
    before = psutil.cpu_times()
    end_s = loop.time() + moment_s
    late_s = 0.0
    while (now_s := loop.time()) < end_s:
        await asyncio.sleep(_STEP_S)
        late_s = max(late_s, loop.time() - now_s - _STEP_S)
    after = psutil.cpu_times()
    spent = {name: getattr(after, name) - getattr(before, name) for name in after._fields}
    # Guest time is part of user time already.
    total = sum(s for name, s in spent.items() if not name.startswith("guest"))
    unused = spent["idle"] + spent.get("iowait", 0.0)
    busy = min(1.0, max(0.0, 1 - unused / total)) if total > 0 else 0.0
    return Load(usable_cores(), round(busy, 3), round(1000 * late_s, 1))
