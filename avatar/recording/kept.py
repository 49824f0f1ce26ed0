"""What of one call is kept: nothing, until it is recorded, and nothing more once it is not."""

from collections.abc import Callable
from pathlib import Path

from avatar.recording.format import Header, Remembered, Source
from avatar.recording.recorder import Recorder
from speech.types import AudioFrame, Message


class Kept:
    """A call's recording, if there is one.

    Args:
        played: Where the avatar's sound is now, in samples at 48 kHz.
        changed: Told when the recording has ended by itself.
    """

    def __init__(self, played: Callable[[], int], changed: Callable[[], None]) -> None:
        self._played = played
        self._changed = changed
        self._recorder: Recorder | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether the call is being recorded."""
        return self._recorder is not None and self._recorder.is_recording

    def start(self, root: Path, about: Header) -> Recorder:
        """Record the call from now on, below `root`.

        Raises:
            OSError: That is not possible; the call can go on unrecorded.
        """
        self._recorder = Recorder.start(root, about, self._changed)
        return self._recorder

    def hear(self, frame: AudioFrame) -> None:
        """Keep what the person's microphone sent."""
        if self._recorder is not None:
            self._recorder.hear(frame)

    def note(self, source: Source, event: object) -> None:
        """Keep what happened."""
        if self._recorder is not None:
            self._recorder.note(event, source=source, played=self._played())

    def end(self, remembered: tuple[Message, ...]) -> None:
        """Keep what was remembered as the call began to end; what follows is its aftermath."""
        if self._recorder is not None:
            self.note("session", Remembered(remembered))
            self._recorder.end(self._played())

    def discard(self) -> None:
        """Delete what was kept: the person has withdrawn."""
        if self._recorder is not None:
            self._recorder.discard()

    def close(self) -> None:
        """The call is over."""
        if self._recorder is not None:
            self._recorder.close()
