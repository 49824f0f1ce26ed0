"""What the service knows of itself, for the kiosk's watchdog."""

from collections.abc import Callable

import psutil

from avatar.kiosk.watchdog import Facts
from speech.worker import longest_busy_s


def facts_of(calls: Callable[[], int | None]) -> Callable[[float, float], Facts]:
    """How to read the facts: given the event loop's lateness in s and the local hour.

    Args:
        calls: How many are under way; None until the models are loaded.
    """
    process = psutil.Process()

    def read(late_s: float, hour: float) -> Facts:
        count = calls()
        return Facts(
            ready=count is not None,
            busy_s=longest_busy_s(),
            late_s=late_s,
            rss_mb=process.memory_info().rss / 2**20,
            calls=count or 0,
            hour=hour,
        )

    return read
