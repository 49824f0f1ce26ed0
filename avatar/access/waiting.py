"""How long somebody in a line will wait, judged by how long calls really last."""

import heapq
from collections.abc import Collection, Sequence

_LEAST_S = 1.0  # a call that is longer than all before it may end any moment


def remaining_s(elapsed_s: float, lengths_s: Collection[float]) -> float:
    """How long a call still lasts: the mean of what was left of those that lasted longer."""
    left = [length - elapsed_s for length in lengths_s if length > elapsed_s]
    return max(_LEAST_S, sum(left) / len(left)) if left else _LEAST_S


def expected_wait_s(
    elapsed_s: Sequence[float], lengths_s: Collection[float], place: int, capacity: int
) -> float:
    """The wait of whoever is at `place` in the line, in seconds.

    Args:
        elapsed_s: How long each call under way has lasted.
        lengths_s: Of calls that have ended; not empty.
        place: 1 is next.
        capacity: Places for calls.
    """
    ends_s = [remaining_s(elapsed, lengths_s) for elapsed in elapsed_s]
    ends_s += [0.0] * (capacity - len(ends_s))
    heapq.heapify(ends_s)
    usual_s = sum(lengths_s) / len(lengths_s)
    for _ in range(place - 1):
        heapq.heapreplace(ends_s, ends_s[0] + usual_s)
    return ends_s[0]
