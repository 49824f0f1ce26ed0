"""How many processor cores this process has, and who leaves them to others."""

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from threadpoolctl import threadpool_limits

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Cores that this process may run on, by its affinity and its container's quota; at least 1.

    Args:
        quota: The control group's `cpu.max`: microseconds in a period and the period, or "max"
            (docs.kernel.org/admin-guide/cgroup-v2.html). It need not exist.
    """
    own = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if own else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # no container, or one without a quota
        granted_us, period_us = quota.read_text().split()
        cores = min(cores, int(granted_us) // int(period_us))
    return max(1, cores)


def in_one_thread() -> "AbstractContextManager[object]":
    """Have numpy multiply matrices in the thread that asks, until the context ends.

    OpenBLAS shares a product among threads that spin for the next one: of one turn detector's call
    (50 ms) a second core was busy for as long, which the recogniser and the language model wanted.
    """
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
