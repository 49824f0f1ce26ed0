"""What of one call is kept: nothing, until it is recorded, and nothing more once it is not."""

import logging
from collections.abc import Callable
from pathlib import Path

from avatar.recording.about import header, is_agreed
from avatar.recording.format import Header, Remembered, Source
from avatar.recording.recorder import Recorder
from avatar.settings import Settings
from avatar.terms import Agreement
from speech.types import AudioFrame, Message

_log = logging.getLogger(__name__)

_MOST_HELD_BACK = 16  # messages of a client that may yet agree to being recorded


class Kept:
    """A call's recording, if there is one.

    Args:
        played: Where the avatar's sound is now, in samples at 48 kHz.
        changed: Told when the recording has ended by itself.
        agreement: Of the client and the server. Where the call goes on with others, it has their
            recordings; if the person wants none any more, they are deleted at once.
    """

    def __init__(
        self,
        played: Callable[[], int],
        changed: Callable[[], None],
        agreement: Agreement,
    ) -> None:
        continues = agreement.terms.continues
        self._before = () if continues is None else continues.recordings
        self._played = played
        self._changed = changed
        self._agreement = agreement
        self._recorder: Recorder | None = None
        self._begin: Callable[[], None] | None = None  # while the person may yet agree
        self._held_back: list[object] = []  # what their client has said by then
        if agreement.config.recording is False:
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
        self, call_id: str, settings: Settings, *, takes_video: bool, may_yet: bool
    ) -> None:
        """Record the call from now on, if operator and person have agreed to it.

        Args:
            call_id: Its public name.
            settings: The server's.
            takes_video: Whether the client sees the face.
            may_yet: Whether the person, if they have not said, may agree until anything is said
                in a new call.
        """

        def begin() -> None:
            about = header(
                call_id,
                self._agreement.config,
                settings,
                seed=self._agreement.seed,
                takes_video=takes_video,
            )
            try:
                self.start(settings.recording.root, about)
            except OSError:
                _log.exception("recording failed", extra={"call_id": call_id})

        asked, is_new = self._agreement.config, self._agreement.terms.continues is None
        if is_agreed(settings.recording, asked):
            begin()
        elif may_yet and is_new and settings.recording.enabled and asked.recording is None:
            self._begin = begin

    def agree(self) -> None:
        """The person consents: in time, if nothing was said yet, for a whole call is recorded."""
        begin, said = self._begin, self._held_back
        self._hold_back_no_more()
        if begin is not None:
            self._agreement.consent(to_recording=True)
            begin()
            for message in said:
                self.note("client", message)

    def withdraw(self) -> None:
        """The person consents no more: what was kept is deleted."""
        self._agreement.consent(to_recording=False)
        self.discard()

    def start(self, root: Path, about: Header) -> Recorder:
        """Record the call from now on, below `root`.

        Raises:
            OSError: That is not possible; the call can go on unrecorded.
        """
        self._recorder = Recorder.start(root, about, self._changed)
        return self._recorder

    def hear(self, frame: AudioFrame) -> None:
        """Keep what the person's microphone sent."""
        self._hold_back_no_more()
        if self._recorder is not None:
            self._recorder.hear(frame)

    def note(self, source: Source, event: object) -> None:
        """Keep what happened."""
        if self._recorder is not None:
            self._recorder.note(event, source=source, played=self._played())
        elif self._begin is not None:
            self._hold_back(source, event)

    def end(self, remembered: tuple[Message, ...]) -> None:
        """Keep what was remembered as the call began to end; what follows is its aftermath."""
        if self._recorder is not None:
            self.note("session", Remembered(remembered))
            self._recorder.end(self._played())

    def discard(self) -> None:
        """Delete all that was kept of the conversation."""
        self._hold_back_no_more()
        for recorder in self.recordings:
            recorder.discard()

    def close(self) -> None:
        """The call is over."""
        if self._recorder is not None:
            self._recorder.close()

    def _hold_back(self, source: Source, event: object) -> None:
        """Remember what a client says before anything is said, until the person agrees or not."""
        is_early = source in ("client", "server") and len(self._held_back) < _MOST_HELD_BACK
        if not is_early:
            self._hold_back_no_more()
        elif source == "client":
            self._held_back.append(event)

    def _hold_back_no_more(self) -> None:
        self._begin, self._held_back = None, []
