"""The face as poses, for a client that draws it itself."""

import asyncio
from collections.abc import Callable

from avatar.face.movement import Movement
from avatar.protocol.poses import pack, pack_body
from avatar.rtc.clock import MediaClock
from render.types import SPEECH_CLOCK_HZ

LEAD_SAMPLES = SPEECH_CLOCK_HZ * 16 // 100
"""Poses leave so long before their sound does: a late one can still be shown in its time."""


class PoseStream:
    """Sends one call's poses ahead of their sound, and again when something changes them.

    A pose is a function of its sample and of what is known of the conversation, so one that lies
    ahead can be sent at once. Whatever becomes known meanwhile, such as a barge-in, or a stall that
    moved the clock, changes what would be sent for the same slots: those are sent anew, with a
    higher sequence.

    Args:
        clock: The call's media clock.
        movement: Poses the face.
        timestamp: RTP timestamp of a sample, on the audio's scale; None before the first sound.
        send: Takes a message of `avatar.protocol.poses`.
        on_due: Called with the sample that is due while poses are sent.

    Attributes:
        sent: Poses sent.
    """

    def __init__(
        self,
        *,
        clock: MediaClock,
        movement: Movement,
        timestamp: Callable[[int], int | None],
        send: Callable[[bytes], bool],
        on_due: Callable[[int], None],
    ) -> None:
        self.sent = 0
        self._clock = clock
        self._movement = movement
        self._timestamp = timestamp
        self._send = send
        self._on_due = on_due
        self._sequence = 0
        self._ahead: dict[int, tuple[int, bytes]] = {}  # slot: (timestamp, body) as last sent
        self._is_on = asyncio.Event()

    def start(self) -> None:
        """Send poses from now on."""
        self._ahead.clear()
        self._is_on.set()

    def stop(self) -> None:
        """Send none until `start`."""
        self._is_on.clear()

    async def run(self) -> None:
        """Send while started, once a slot, until cancelled."""
        await self._clock.started()
        while True:
            await self._is_on.wait()
            slot = self._clock.now() // self._movement.step
            self._send_from(slot)
            await self._clock.reach((slot + 1) * self._movement.step)

    def _send_from(self, slot: int) -> None:
        """Send what is new or changed from `slot` to the end of the lead."""
        step = self._movement.step
        self._ahead = {at: sent for at, sent in self._ahead.items() if at >= slot}
        message = b"".join(self._news(at) for at in range(slot, slot + LEAD_SAMPLES // step + 1))
        if message:
            self._send(message)
        self._on_due(slot * step)

    def _news(self, slot: int) -> bytes:
        timestamp = self._timestamp(slot * self._movement.step)
        known = self._ahead.get(slot)
        if timestamp is None or (known is None and not self._movement.is_shown(slot)):
            return b""
        pose = (timestamp, pack_body(self._movement.pose(slot)))
        if pose == known:
            return b""
        self._ahead[slot] = pose
        self._sequence += 1
        self.sent += 1
        return pack(pose[1], self._sequence, timestamp)
