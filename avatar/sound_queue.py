"""Sound of a client's microphone that waits for its listener."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from speech.types import AudioFrame


class SoundQueue:
    """Frames in order, for one listener. Whoever fills it keeps it short.

    Attributes:
        samples: How many wait.
        has_ended: Whether no more will come.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.has_ended = False
        self._frames: deque[AudioFrame] = deque()
        self._changed = asyncio.Event()

    def put(self, frame: AudioFrame) -> None:
        """Add the next frame."""
        self._frames.append(frame)
        self.samples += len(frame.pcm)
        self._changed.set()

    def drop_oldest(self) -> int:
        """Drop the frame that waited longest; how many samples it had."""
        return self._taken(self._frames.popleft())

    def drop_from(self, start_sample: int) -> int:
        """Drop the newest frames that begin at or after a sample; how many samples they had."""
        dropped = 0
        while self._frames and self._frames[-1].start_sample >= start_sample:
            dropped += self._taken(self._frames.pop())
        return dropped

    async def frames(self) -> AsyncGenerator[AudioFrame, None]:
        """Yield the frames as they come, until `end`."""
        while True:
            while self._frames:
                frame = self._frames.popleft()
                self._taken(frame)
                yield frame
            if self.has_ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def end(self) -> None:
        """Let `frames` end after what waits."""
        self.has_ended = True
        self._changed.set()

    def _taken(self, frame: AudioFrame) -> int:
        self.samples -= len(frame.pcm)
        return len(frame.pcm)
