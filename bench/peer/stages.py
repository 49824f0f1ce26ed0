"""Our recogniser and our voice as Pipecat services. Runs in the peer's environment."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601

from bench.peer.settings import LISTENING_RATE_HZ, SPEAKING_RATE_HZ
from speech.asr.moonshine import Moonshine
from speech.text.normalise import normalise
from speech.tts.hibari import HibariVoice
from speech.types import Clause, Transcript

_LATENCY_S = 0.5  # from the end of speech to the final words, of which VAD takes 0.2


class MoonshineSTT(SegmentedSTTService):
    """Moonshine, with interim transcripts while the person speaks.

    The last one is the draft that makes the final one cheap, as in our own server.
    """

    def __init__(self, recognizer: Moonshine) -> None:
        super().__init__(
            sample_rate=LISTENING_RATE_HZ,
            trailing_silence_secs=0,
            ttfs_p99_latency=_LATENCY_S,
            settings=STTSettings(model="moonshine-tiny-en", language=Language.EN),
        )
        self._recognizer = recognizer
        self._draft: Transcript | None = None
        self._drafted_bytes = 0
        self._interim: asyncio.Task[None] | None = None

    @property
    def wants_wav_segments(self) -> bool:
        """Whether segments come as WAV files; raw PCM otherwise."""
        return False

    async def process_audio_frame(
        self, frame: InputAudioRawFrame, direction: FrameDirection
    ) -> None:
        """Buffer the sound, and begin an interim transcript where enough is new."""
        await super().process_audio_frame(frame, direction)
        if not self._user_speaking:
            self._drafted_bytes = 0
            return
        every = int(self._recognizer.interim_every_s * LISTENING_RATE_HZ) * 2
        new = len(self._audio_buffer) - self._drafted_bytes
        if new >= every and (self._interim is None or self._interim.done()):
            self._drafted_bytes = len(self._audio_buffer)
            self._interim = self.create_task(self._transcribe_so_far(bytes(self._audio_buffer)))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        """Transcribe a whole segment: int16 PCM at 16 kHz."""
        if self._interim is not None:
            await self.cancel_task(self._interim)
            self._interim = None
        draft, self._draft = self._draft, None
        transcript = await self._recognizer.recognize(np.frombuffer(audio, np.int16), draft)
        if transcript.text:
            yield TranscriptionFrame(
                transcript.text, self._user_id, time_now_iso8601(), Language.EN
            )

    async def _transcribe_so_far(self, audio: bytes) -> None:
        pcm = np.frombuffer(audio, np.int16)
        self._draft = await self._recognizer.recognize(pcm, self._draft)
        if self._draft.text:
            await self.push_frame(
                InterimTranscriptionFrame(
                    self._draft.text, self._user_id, time_now_iso8601(), Language.EN
                )
            )


class HibariTTS(TTSService):
    """Hibari: a sentence at a time, in one piece, a hundredth of real time."""

    def __init__(self, voice: HibariVoice) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            sample_rate=SPEAKING_RATE_HZ,
            settings=TTSSettings(model="hibari", voice=None, language=Language.EN),
        )
        self._voice = voice

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Speak a sentence."""

        async def clause() -> AsyncIterator[Clause]:
            yield Clause(text, normalise(text, "en"))

        async for chunk in self._voice.speak(clause()):
            if len(chunk.audio.pcm):
                yield TTSAudioRawFrame(
                    audio=chunk.audio.pcm.tobytes(),
                    sample_rate=chunk.audio.sample_rate,
                    num_channels=1,
                    context_id=context_id,
                )
