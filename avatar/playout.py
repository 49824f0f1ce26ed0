"""What the person hears and sees being said right now."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from render.types import NEUTRAL, SPEECH_CLOCK_HZ, Emotion, ScheduledSpeech, VisemeTrack
from speech.types import SpeechChunk
from speech.word_places import speech_end, word_places

FRAME_SAMPLES = SPEECH_CLOCK_HZ // 50
"""One WebRTC audio packet: 20 ms."""

_REMEMBER_SAMPLES = 4 * SPEECH_CLOCK_HZ  # the face eases out of a chunk's feeling for less
_PREPARED_SAMPLES = SPEECH_CLOCK_HZ * 35 // 100  # the face prepares for a chunk for less
_RISE_SAMPLES = SPEECH_CLOCK_HZ // 200  # a word cut out of its sentence begins in 5 ms
_FALL_SAMPLES = SPEECH_CLOCK_HZ // 125  # and ends in 8: after 20, Opus sounds on in the next frame


@dataclass(frozen=True, slots=True)
class _Unheard:
    chunk: SpeechChunk
    track: VisemeTrack
    emotion: Emotion
    is_new: bool = True  # and not the rest of a chunk that was begun

    @property
    def samples(self) -> int:
        return len(self.chunk.audio.pcm)


@dataclass(slots=True)
class _Scheduled:
    said: _Unheard
    speech: ScheduledSpeech

    @property
    def chunk(self) -> SpeechChunk:
        return self.said.chunk

    @property
    def start(self) -> int:
        return self.speech.start_sample

    @property
    def end(self) -> int:
        return self.speech.end_sample


@dataclass(frozen=True, slots=True)
class Begun:
    """A chunk that begins to be heard.

    Attributes:
        chunk: At `SPEECH_CLOCK_HZ`.
        start_sample: Of its first sample, on the speech clock.
    """

    chunk: SpeechChunk
    start_sample: int


class Playout:
    """The avatar's mouth: the only place that holds media not yet heard.

    The audio track calls `next_frame` every 20 ms; the face reads `speech`; the turn calls
    `push`. Because nothing else buffers, `clear` is all it takes to fall silent, with a fade of
    8 ms; `hold` falls silent likewise and keeps what has not been heard, until
    `resume` goes on with the word that was cut.

    Args:
        limit_s: `push` waits while this much speech is already waiting.
        on_start: Called with a chunk when its first sample leaves.

    Attributes:
        position: The next sample to leave, on the speech clock (48 kHz since the call began).
        on_frame: Called with every frame that leaves.
        begun: The chunk that began last.
    """

    def __init__(
        self, *, limit_s: float = 3.0, on_start: Callable[[SpeechChunk], None] | None = None
    ) -> None:
        self.position = 0
        self.on_frame: Callable[[NDArray[np.int16]], None] | None = None
        self.begun: Begun | None = None
        self._limit = round(SPEECH_CLOCK_HZ * limit_s)
        self._on_start = on_start
        self._recent: list[_Scheduled] = []  # heard lately, being heard, and waiting
        self._reply: list[_Scheduled] = []  # all of the current reply that is scheduled
        self._held: deque[_Unheard] | None = None  # the rest of it; None while nothing is held
        self._next_start = 0
        self._fading: NDArray[np.int16] | None = None
        self._moved = asyncio.Event()

    @property
    def buffered_samples(self) -> int:
        """Samples pushed but not yet heard."""
        held = sum(item.samples for item in self._held or ())
        return max(0, self._next_start - self.position) + held

    @property
    def speaking(self) -> bool:
        """Whether there is speech being heard, waiting or held."""
        return self.buffered_samples > 0 or bool(self._held)

    @property
    def held(self) -> bool:
        """Whether speech waits for `resume`."""
        return self._held is not None

    @property
    def speech(self) -> tuple[ScheduledSpeech, ...]:
        """What was said lately, is being said and will be, for the face."""
        return tuple(item.speech for item in self._recent)

    async def push(
        self, chunk: SpeechChunk, track: VisemeTrack, emotion: Emotion = NEUTRAL
    ) -> None:
        """Queue a chunk, waiting while `limit_s` of speech is already buffered.

        Args:
            chunk: Speech at 48 kHz. An empty one only carries its text.
            track: How the mouth moves for it.
            emotion: What its words feel like.
        """
        if chunk.audio.sample_rate != SPEECH_CLOCK_HZ:
            raise ValueError(f"playout takes {SPEECH_CLOCK_HZ} Hz, not {chunk.audio.sample_rate}")
        while self.buffered_samples >= self._limit:
            await self._wait()
        item = _Unheard(chunk, track, emotion)
        if self._held is None:
            self._schedule(item)
        else:
            self._held.append(item)

    async def drained(self) -> None:
        """Return once everything pushed has been heard."""
        while self.speaking:
            await self._wait()

    def next_frame(self) -> NDArray[np.int16]:
        """The next 20 ms, int16 of shape (960,); zeros are silence."""
        frame = np.zeros(FRAME_SAMPLES, np.int16)
        first, end = self.position, self.position + FRAME_SAMPLES
        for item in self._recent:
            lo, hi = max(first, item.start), min(end, item.end)
            if lo < hi or (item.start == item.end and first <= item.start < end):
                frame[lo - first : hi - first] = item.chunk.audio.pcm[
                    lo - item.start : hi - item.start
                ]
                if first <= item.start < end and item.said.is_new:
                    self._begin(item)
        if self._fading is not None:
            frame[: len(self._fading)] = self._fading
            self._fading = None
        self.position = end
        self._recent = [item for item in self._recent if item.end > end - _REMEMBER_SAMPLES]
        self._moved.set()
        if self.on_frame is not None:
            self.on_frame(frame)
        return frame

    def start_reply(self) -> None:
        """Begin to count what is heard anew."""
        self._reply, self._held = [], None

    def heard(self, ahead: int = 0) -> str:
        """The text of this reply that has been heard, whole words only.

        Args:
            ahead: So many samples from now; before now, if it is negative.
        """
        position = self.position + ahead
        return "".join(_heard_of(item, position) for item in self._reply).rstrip()

    def heard_samples(self) -> int:
        """Samples of this reply that have been heard."""
        return sum(max(0, min(item.end, self.position) - item.start) for item in self._reply)

    @property
    def quiet_samples(self) -> int:
        """Samples since something of this reply was last heard; 0 while it is being heard."""
        return self.position - max((min(i.end, self.position) for i in self._reply), default=0)

    def clear(self) -> None:
        """Drop what has not been heard; what sounds now fades out in 8 ms."""
        self._held = None
        self._fall_silent()

    def hold(self) -> None:
        """Fall silent as `clear` does, but keep what has not been heard."""
        if self._held is not None:
            return
        position, rests = self.position, [_rest_of(item, self.position) for item in self._reply]
        self._held = deque(rest for rest in rests if rest is not None)
        begun = [item for item in self._reply if item.start < position]
        self._fall_silent()
        for item, rest in zip(begun, rests, strict=False):
            if rest is not None:
                item.said = _heard_part(item, rest)

    def resume(self) -> None:
        """Go on from the beginning of the word that `hold` cut."""
        held, self._held = self._held, None
        for item in held or ():
            self._schedule(item)
        self._moved.set()

    def _begin(self, item: _Scheduled) -> None:
        self.begun = Begun(item.chunk, item.start)
        if self._on_start is not None:
            self._on_start(item.chunk)

    def _schedule(self, said: _Unheard) -> None:
        start = max(self.position, self._next_start)
        self._next_start = start + said.samples
        speech = ScheduledSpeech(said.track, start, self._next_start, self.position, said.emotion)
        item = _Scheduled(said, speech)
        self._recent.append(item)
        self._reply.append(item)

    def _fall_silent(self) -> None:
        position = self.position
        kept = []
        for item in self._recent:
            if item.start < position < item.end:
                tail = item.chunk.audio.pcm[position - item.start :][:_FALL_SAMPLES]
                ramp = np.cos(np.linspace(0.0, np.pi / 2, len(tail), dtype=np.float32)) ** 2
                self._fading = (tail * ramp).astype(np.int16)
            if item.start < position + _PREPARED_SAMPLES:  # the face has to let go of it
                item.speech = replace(item.speech, end_sample=min(item.end, position))
                kept.append(item)
        self._recent = kept
        self._reply = [item for item in self._reply if item.start < position]
        self._next_start = position
        self._moved.set()

    async def _wait(self) -> None:
        self._moved.clear()
        await self._moved.wait()


def _heard_of(item: _Scheduled, position: int) -> str:
    chunk, played = item.chunk, min(item.end, position) - item.start
    if played < 0:
        return ""
    if played >= item.said.samples:
        return chunk.text
    return chunk.text[: _word_under_way(chunk, played)[0]]


def _word_under_way(chunk: SpeechChunk, played: int) -> tuple[int, int]:
    """Character and sample where the word begins that is being said after `played` samples."""
    if played >= speech_end(chunk):
        return len(chunk.text), len(chunk.audio.pcm)
    begun = [place for place in word_places(chunk) if place.sample <= played]
    return (begun[-1].character, begun[-1].sample) if len(begun) > 1 else (0, 0)


def _rest_of(item: _Scheduled, position: int) -> _Unheard | None:
    """What `hold` keeps of a chunk: all of it, or what follows the last whole word."""
    said = item.said
    if item.start >= position:
        return said
    character, sample = _word_under_way(said.chunk, position - item.start)
    if position >= item.end or character >= len(said.chunk.text):
        return None
    pcm = said.chunk.audio.pcm[sample:].copy()
    rise = min(_RISE_SAMPLES, len(pcm)) if sample else 0
    pcm[:rise] = (pcm[:rise] * np.linspace(0, 1, rise, dtype=np.float32)).astype(np.int16)
    chunk = SpeechChunk(
        said.chunk.text[character:],
        replace(said.chunk.audio, pcm=pcm),
        tuple(
            replace(t, start_sample=t.start_sample - sample, end_sample=t.end_sample - sample)
            for t in said.chunk.phonemes
            if t.start_sample >= sample
        ),
    )
    beats = tuple(beat - sample for beat in said.track.beats if beat >= sample)
    track = replace(said.track, lead=said.track.lead - sample, beats=beats)
    return _Unheard(chunk, track, said.emotion, is_new=False)


def _heard_part(item: _Scheduled, rest: _Unheard) -> _Unheard:
    """What was heard of a chunk before the `rest` of it, its last word unfinished."""
    chunk = item.chunk
    heard = SpeechChunk(
        chunk.text[: len(chunk.text) - len(rest.chunk.text)],
        replace(chunk.audio, pcm=chunk.audio.pcm[: item.end - item.start]),
    )
    return _Unheard(heard, item.said.track, item.said.emotion, is_new=False)
