"""The data channel that carries a call's events."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable

from aiortc import RTCDataChannel

logger = logging.getLogger(__name__)

MESSAGE_LIMIT_CHARS = 64 * 1024
"""Longer messages are dropped; no event of the protocol comes near."""

QUEUE_LIMIT = 256
"""Messages that may wait, in either direction."""

UNSENT_LIMIT_BYTES = 1 << 20
"""Bytes that a client may leave unread before it is given up."""


class EventsChannel:
    """Text messages to and from a client. Its own end: the client makes the channel."""

    def __init__(self, overflow: Callable[[], None]) -> None:
        self._overflow = overflow
        self._channel: RTCDataChannel | None = None
        self._unsent: deque[str] = deque(maxlen=QUEUE_LIMIT)
        self._received: deque[str] = deque()
        self._changed = asyncio.Event()
        self._ended = False

    def attach(self, channel: RTCDataChannel) -> None:
        """Use the channel that a client made, if it is its first.

        Its name is the client's: OpenAI's say `oai-events`, Pipecat's `chat` or something else.
        """
        if self._channel is not None:
            logger.warning("Data channel ignored: events have one already")
            return
        self._channel = channel
        channel.on("message", self._receive)
        channel.on("open", self._flush)
        self._flush()

    async def messages(self) -> AsyncGenerator[str, None]:
        """Yield the client's messages until it is gone. For one reader."""
        while True:
            while self._received:
                yield self._received.popleft()
            if self._ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def send(self, text: str) -> None:
        """Send `text`, or keep it until the channel opens."""
        if self._ended:
            return
        self._unsent.append(text)
        self._flush()

    def end(self) -> None:
        """Drop what is not sent, and let `messages` end after what was received."""
        self._ended = True
        self._unsent.clear()
        self._changed.set()

    def _flush(self) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        while self._unsent:
            channel.send(self._unsent.popleft())
        if channel.bufferedAmount > UNSENT_LIMIT_BYTES:
            self._overflow()

    def _receive(self, message: str | bytes) -> None:
        if not isinstance(message, str) or len(message) > MESSAGE_LIMIT_CHARS:
            logger.warning("Data channel message dropped: it is not text, or too long")
        elif len(self._received) >= QUEUE_LIMIT:
            logger.warning("Data channel message dropped: they come faster than they are read")
        else:
            self._received.append(message)
            self._changed.set()
