"""What of one call is kept: nothing, until it is recorded, and nothing more once it is not."""

import logging
from collections.abc import Callable
from pathlib import Path

from avatar.protocol.config import CallConfig
from avatar.recording.about import header, is_agreed
from avatar.recording.format import Header, Remembered, Source
from avatar.recording.recorder import Recorder
from avatar.settings import Settings
from speech.types import AudioFrame, Message

_log = logging.getLogger(__name__)


class Kept:
    """A call's recording, if there is one.

    Args:
        played: Where the avatar's sound is now, in samples at 48 kHz.
        changed: Told when the recording has ended by itself.
        before: Recordings of the calls that this one goes on with.
        is_withdrawn: Whether the person wants none of them any more.
    """

    def __init__(
        self,
        played: Callable[[], int],
        changed: Callable[[], None],
        *,
        before: tuple[Recorder, ...] = (),
        is_withdrawn: bool = False,
    ) -> None:
        self._before = before
        self._played = played
        self._changed = changed
        self._recorder: Recorder | None = None
        if is_withdrawn:
            self.discard()

    @property
    def is_recorded(self) -> bool:
        """Whether the call is being recorded."""
        return self._recorder is not None and self._recorder.is_recording

    @property
    def recordings(self) -> tuple[Recorder, ...]:
        """All that there is of the conversation."""
        return self._before if self._recorder is None else (*self._before, self._recorder)

    def start_if_agreed(
        self, call_id: str, config: CallConfig, settings: Settings, *, seed: int, takes_video: bool
    ) -> None:
        """Record the call from now on, if operator and person have agreed to it.

        Args:
            call_id: Its public name.
            config: What was asked of it.
            settings: The server's.
            seed: Of the face's movement.
            takes_video: Whether the client sees the face.
        """
        if is_agreed(settings.recording, config):
            about = header(call_id, config, settings, seed=seed, takes_video=takes_video)
            try:
                self.start(settings.recording.root, about)
            except OSError:
                _log.exception("recording failed", extra={"call_id": call_id})

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
        """Delete all that was kept of the conversation: the person has withdrawn."""
        for recorder in self.recordings:
            recorder.discard()

    def close(self) -> None:
        """The call is over."""
        if self._recorder is not None:
            self._recorder.close()
