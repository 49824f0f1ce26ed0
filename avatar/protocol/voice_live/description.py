"""Describes an answer's mouth, face and words to a client, as far as it asked for that."""

from collections.abc import Callable
from dataclasses import dataclass, field

from avatar.playout import Begun
from avatar.protocol.dialect import Performance
from avatar.protocol.voice_live.blendshapes import FRAME_SAMPLES, blendshape_frame
from avatar.protocol.voice_live.names import Json
from avatar.protocol.voice_live.visemes import timed_visemes
from render.types import SPEECH_CLOCK_HZ
from speech.word_places import speech_end, word_places

LEAD_SAMPLES = SPEECH_CLOCK_HZ * 16 // 100
"""Blend shapes leave so long before their sound does, so that they can be shown in its time."""

_FRAMES_TOGETHER = 6  # in one event: a tenth of a second


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked to be told.

    Attributes:
        visemes: The mouth's shape, at every change.
        blendshapes: The whole face, 60 times a second.
        words: When each word is heard.
    """

    visemes: bool = False
    blendshapes: bool = False
    words: bool = False


@dataclass(slots=True)
class _Answer:
    """What is described at present.

    Attributes:
        origin: Where on the speech clock its sound would have begun without the silences in it
            that are no part of it; offsets and frames count from there.
        ids: Of the answer, for its events; empty until its first clause.
        frames: Sent so far.
    """

    origin: int
    ids: Json = field(default_factory=dict)
    frames: int = 0


class Description:
    """Tells of one answer after another.

    Args:
        performance: What is said and shown.
        send: Sends an event.

    Attributes:
        wanted: What is told, from the next clause on.
    """

    def __init__(self, performance: Performance, send: Callable[[Json], None]) -> None:
        self.wanted = Wanted()
        self._performance = performance
        self._send = send
        self._answer: _Answer | None = None
        self._held_at: int | None = None

    def begin(self) -> None:
        """An answer begins, silent yet."""
        self._answer = self._held_at = None

    def opener(self) -> None:
        """A few words begin to be heard before the answer: its sound begins with them."""
        begun = self._performance.begun()
        if begun is not None and self._answer is None:
            self._answer = _Answer(begun.start_sample)

    def clause(self, response_id: str, item_id: str) -> None:
        """A clause begins to be heard: tell of its mouth shapes and words, ahead of their sound."""
        begun = self._performance.begun()
        if begun is None:
            return
        if self._answer is None:
            self._answer = _Answer(begun.start_sample)
        if not self._answer.ids:
            self._answer.ids = {"response_id": response_id, "item_id": item_id}
            self._answer.ids |= {"output_index": 0, "content_index": 0}
        offset = begun.start_sample - self._answer.origin
        if self.wanted.visemes:
            for sample, viseme in timed_visemes(begun.chunk.phonemes):
                at_ms = _ms(offset + sample)
                self._tell("animation_viseme.delta", audio_offset_ms=at_ms, viseme_id=viseme)
        if self.wanted.words:
            self._tell_words(begun, offset)

    def hold(self) -> None:
        """The answer falls silent, and may go on."""
        self._held_at = self._performance.position()

    def resume(self) -> None:
        """It goes on: the silence was no part of its sound."""
        if self._answer is not None and self._held_at is not None:
            self._answer.origin += self._performance.position() - self._held_at
        self._held_at = None

    def moved(self) -> None:
        """Time has passed: tell how the face looks a little ahead of the sound."""
        if self._held_at is None:
            self._tell_frames(self._performance.position() + LEAD_SAMPLES, _FRAMES_TOGETHER)

    def end(self) -> None:
        """The answer's sound is over."""
        answer, held_at = self._answer, self._held_at
        self._held_at = None
        if answer is None or not answer.ids:
            self._answer = None
            return
        self._tell_frames(self._performance.position() if held_at is None else held_at, 1)
        done = {"response_id", "item_id", "output_index"}
        if self.wanted.visemes:
            self._tell("animation_viseme.done")
        if self.wanted.blendshapes:
            ids = {name: value for name, value in answer.ids.items() if name in done}
            self._send({"type": "response.animation_blendshapes.done", **ids})
        if self.wanted.words:
            self._tell("audio_timestamp.done")
        self._answer = None

    def _tell_words(self, begun: Begun, offset: int) -> None:
        chunk, places = begun.chunk, word_places(begun.chunk)
        ends = [*(place.sample for place in places[1:]), speech_end(chunk)]
        for place, end in zip(places, ends, strict=True):
            self._tell(
                "audio_timestamp.delta",
                audio_offset_ms=_ms(offset + place.sample),
                audio_duration_ms=_ms(max(0, end - place.sample)),
                text=chunk.text[place.character :].split(maxsplit=1)[0],
                timestamp_type="word",
            )

    def _tell_frames(self, until: int, together: int) -> None:
        answer = self._answer
        if answer is None or not answer.ids or not self.wanted.blendshapes:
            return
        count = (until - answer.origin) // FRAME_SAMPLES + 1 - answer.frames
        if count < together:
            return
        first = answer.frames
        answer.frames += count
        frames = [
            blendshape_frame(self._performance.pose(answer.origin + number * FRAME_SAMPLES))
            for number in range(first, answer.frames)
        ]
        self._tell("animation_blendshapes.delta", frames=frames, frame_index=first)

    def _tell(self, kind: str, **fields: object) -> None:
        if self._answer is not None:
            self._send({"type": f"response.{kind}", **self._answer.ids, **fields})


def _ms(samples: int) -> int:
    return samples * 1000 // SPEECH_CLOCK_HZ
