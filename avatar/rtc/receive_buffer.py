"""In-order delivery of RTP packets at the least delay, for audio that nobody plays out.

A jitter buffer for playback delays every packet, so that late ones still make their slot. A
recogniser has no slots: here a packet that is next in order leaves at once. Only a hole makes
those after it wait, for a bounded number of packets and a bounded time.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MAX_DROPOUT = 3000
"""Furthest jump ahead that still counts as loss (RFC 3550, appendix A.1)."""

MAX_MISORDER = 100
"""Furthest step back that still counts as a late packet (RFC 3550, appendix A.1)."""

_SEQUENCE_MODULO = 1 << 16


class Sequenced(Protocol):
    """What the buffer needs to know of a packet."""

    @property
    def sequence_number(self) -> int:
        """16-bit RTP sequence number."""
        ...

    @property
    def ssrc(self) -> int:
        """RTP synchronisation source."""
        ...


P = TypeVar("P", bound=Sequenced)


@dataclass(frozen=True, slots=True)
class InOrder(Generic[P]):
    """A packet whose turn it is.

    Attributes:
        packet: As it was given.
        lost: How many packets that never came (or came too late) directly precede it.
    """

    packet: P
    lost: int


@dataclass(slots=True)
class ReceiveCounts:
    """What became of the packets, since the beginning.

    Attributes:
        delivered: Left the buffer.
        lost: Were given up.
        discarded: Came twice, or after they were given up.
        restarts: Times that the stream began anew.
    """

    delivered: int = 0
    lost: int = 0
    discarded: int = 0
    restarts: int = 0


class ReceiveBuffer(Generic[P]):
    """Puts RTP packets in order.

    A packet leaves at once if it is next. After a hole, packets wait until it is filled, or until
    more than `wait_packets` of them wait, or the first has waited `wait_s`; then the hole is given
    up and everything up to the next hole leaves together. At most `wait_packets` are ever held.

    A new SSRC, or two consecutive packets far away from what was expected, begin a new stream.
    """

    def __init__(self, *, wait_packets: int = 2, wait_s: float = 0.06) -> None:
        self.wait_packets = wait_packets
        self.wait_s = wait_s
        self.counts = ReceiveCounts()
        self._ssrc: int | None = None
        self._next = 0
        self._restart_at: int | None = None
        self._held: dict[int, P] = {}
        self._held_since_s = 0.0

    @property
    def deadline_s(self) -> float | None:
        """When `expire` has something to do, on the clock of `now_s`; None while nothing waits."""
        return self._held_since_s + self.wait_s if self._held else None

    def add(self, packet: P, now_s: float) -> list[InOrder[P]]:
        """Take a packet in, and return those whose turn it is, in order.

        Args:
            packet: As it came from the network.
            now_s: The time, in seconds, on any monotonic clock.
        """
        sequence = packet.sequence_number
        if packet.ssrc != self._ssrc:
            self._begin(packet)
        ahead = (sequence - self._next) % _SEQUENCE_MODULO
        if MAX_DROPOUT <= ahead < _SEQUENCE_MODULO - MAX_MISORDER:
            if sequence != self._restart_at:
                self._restart_at = (sequence + 1) % _SEQUENCE_MODULO
                self.counts.discarded += 1
                return []
            self._begin(packet)
        elif ahead >= MAX_DROPOUT or sequence in self._held:
            self.counts.discarded += 1
            return []
        self._restart_at = None
        if not self._held:
            self._held_since_s = now_s
        self._held[sequence] = packet
        return self._release(0, now_s) or self._give_up_hole(now_s)

    def expire(self, now_s: float) -> list[InOrder[P]]:
        """Give up the hole at the front if the packets behind it have waited long enough."""
        deadline_s = self.deadline_s
        if deadline_s is None or now_s < deadline_s:
            return []
        return self._release(self._hole(), now_s)

    def _begin(self, packet: P) -> None:
        if self._ssrc is not None:
            self.counts.restarts += 1
        self.counts.discarded += len(self._held)
        self._held.clear()
        self._ssrc = packet.ssrc
        self._next = packet.sequence_number

    def _hole(self) -> int:
        """Width of the hole at the front, in packets."""
        return min((sequence - self._next) % _SEQUENCE_MODULO for sequence in self._held)

    def _give_up_hole(self, now_s: float) -> list[InOrder[P]]:
        if len(self._held) <= self.wait_packets:
            return []
        return self._release(self._hole(), now_s)

    def _release(self, lost: int, now_s: float) -> list[InOrder[P]]:
        """Give up `lost` packets, and take out the run that follows."""
        ready: list[InOrder[P]] = []
        sequence = (self._next + lost) % _SEQUENCE_MODULO
        while (packet := self._held.pop(sequence, None)) is not None:
            ready.append(InOrder(packet, 0 if ready else lost))
            sequence = (sequence + 1) % _SEQUENCE_MODULO
        if ready:
            self._next = sequence
            self._held_since_s = now_s
            self.counts.delivered += len(ready)
            self.counts.lost += lost
        return ready
