"""The data channel that carries poses to a client that draws the face itself."""

import logging
from collections.abc import Callable

from aiortc import RTCDataChannel

_log = logging.getLogger(__name__)

LABEL = "avatar.poses"
"""Name of the channel. A client opens it, unordered and with `maxRetransmits: 0`, once it can draw
the face, and closes it when it can't any more."""

UNSENT_LIMIT_BYTES = 16 * 1024
"""While a client has left so much unread, about 8 s of poses, no more are sent: old ones are of
no use."""


class PosesChannel:
    """Poses to a client, as they come: what can't be sent now is never sent.

    Args:
        changed: Called when the channel has opened or closed.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._channel: RTCDataChannel | None = None

    @property
    def is_open(self) -> bool:
        """Whether the client can draw the face."""
        return self._channel is not None and self._channel.readyState == "open"

    def attach(self, channel: RTCDataChannel) -> None:
        """Use the channel that a client made, in place of any before it."""
        self._channel = channel
        channel.on("open", self._changed)
        channel.on("close", self._changed)
        if self.is_open:
            self._changed()

    def send(self, message: bytes) -> bool:
        """Send poses; False if they were dropped."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return False
        if channel.bufferedAmount > UNSENT_LIMIT_BYTES:
            _log.warning("poses dropped: the client does not take them")
            return False
        channel.send(message)
        return True
