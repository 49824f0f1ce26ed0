"""Real models on the virtual clock: what they say is true, what they take is written here.

A virtual clock can't time a model. So each model runs for real, on an event loop in a thread of
its own, while the virtual clock stands still; then the clock is charged with what such a step takes
on two unhurried cores. A replay is then the same however busy the machine is, and an hour of
silence costs nothing.
"""

import asyncio
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from avatar.engines import CallModel, Engines
from avatar.settings import Settings
from avatar.turn import Voice
from speech.stages import (
    LISTENING_RATE_HZ,
    ClosingJudge,
    Recognizer,
    Synthesizer,
    TurnDetector,
)
from speech.types import (
    Clause,
    Language,
    Message,
    SpeechChunk,
    Tool,
    ToolCall,
    ToolChoice,
    Transcript,
)

T = TypeVar("T")

# Seconds, as measured with nothing else running (docs/bench.md, two cores of an Epyc at 2.4 GHz).
_RECOGNIZE_S = (0.04, 0.03)  # and per second of speech
_JUDGE_S = 0.03
_WEIGH_S = 0.06
_FIRST_TOKEN_S = 0.15
_TOKEN_S = 0.04
_SPEAK_S = (0.03, 0.15)  # and per second of speech made


class ModelThread:
    """An event loop in a thread of its own, for models to run on while the caller waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="models")

    def __enter__(self) -> "ModelThread":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` there to its end. Blocks the caller, and with it a virtual clock."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def pulled(self, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """`source`, each item made there; closed there as well."""
        try:
            while (item := self.run(_next(source))) is not None:
                yield item
        finally:
            self.run(_close(source))


@contextmanager
def simulated_engines(settings: Settings) -> Generator[Engines]:
    """The engines that `settings` name, for calls on a virtual clock.

    Raises:
        ConfigError: The persona is wrong.
        ModelStoreError: A model is missing and can't be fetched.
    """
    with ModelThread() as thread:
        loading = Engines.loaded(settings, face=False)
        engines = thread.run(loading.__aenter__())
        try:
            yield charged(engines, thread)
        finally:
            thread.run(loading.__aexit__(None, None, None))


def charged(engines: Engines, thread: ModelThread) -> Engines:
    """`engines`, whose models run in `thread` and take what is written above."""
    recognizers: Mapping[Language, Recognizer] = {
        language: _Recognizer(recognizer, thread)
        for language, recognizer in engines.recognizers.items()
    }
    voices = {
        language: Voice(language, _Synthesizer(voice.tts, thread), voice.lips)
        for language, voice in engines.voices.items()
    }

    def lent(model: Callable[[], CallModel]) -> Callable[[], CallModel]:
        return lambda: _LanguageModel(model(), thread)

    return replace(
        engines,
        recognizers=recognizers,
        voices=voices,
        turn_detector=_TurnDetector(engines.turn_detector, thread),
        closing=_ClosingJudge(engines.closing, thread) if engines.closing else None,
        language_model=lent(engines.language_model),
        smaller_model=lent(engines.smaller_model) if engines.smaller_model else None,
    )


class _Recognizer:
    def __init__(self, recognizer: Recognizer, thread: ModelThread) -> None:
        self.interim_every_s = recognizer.interim_every_s
        self._recognizer = recognizer
        self._thread = thread

    async def recognize(
        self, pcm: NDArray[np.int16], draft: Transcript | None = None
    ) -> Transcript:
        transcript = self._thread.run(self._recognizer.recognize(pcm, draft))
        await asyncio.sleep(_RECOGNIZE_S[0] + _RECOGNIZE_S[1] * len(pcm) / LISTENING_RATE_HZ)
        return transcript


class _TurnDetector:
    def __init__(self, detector: TurnDetector, thread: ModelThread) -> None:
        self._detector = detector
        self._thread = thread

    async def finished(self, pcm: NDArray[np.int16]) -> float:
        probability = self._thread.run(self._detector.finished(pcm))
        await asyncio.sleep(_JUDGE_S)
        return probability


class _ClosingJudge:
    def __init__(self, judge: ClosingJudge, thread: ModelThread) -> None:
        self._judge = judge
        self._thread = thread

    async def closes(self, text: str, language: Language) -> float:
        probability = self._thread.run(self._judge.closes(text, language))
        await asyncio.sleep(_WEIGH_S)
        return probability


class _LanguageModel:
    def __init__(self, model: CallModel, thread: ModelThread) -> None:
        self._model = model
        self._thread = thread

    async def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> AsyncGenerator[str | ToolCall, None]:
        await asyncio.sleep(_FIRST_TOKEN_S)
        written = self._model.reply(messages, tools, tool_choice)
        async with aclosing(self._thread.pulled(written)) as deltas:
            async for delta in deltas:
                yield delta
                await asyncio.sleep(_TOKEN_S)

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> bool:
        """Do nothing: reading ahead is a matter of time alone, and `_FIRST_TOKEN_S` has it in."""
        del messages, tools
        return True

    async def close(self) -> None:
        self._thread.run(self._model.close())


class _Synthesizer:
    def __init__(self, synthesizer: Synthesizer, thread: ModelThread) -> None:
        self._synthesizer = synthesizer
        self._thread = thread

    async def speak(self, clauses: AsyncIterator[Clause]) -> AsyncGenerator[SpeechChunk, None]:
        async for clause in clauses:
            spoken = self._thread.pulled(self._synthesizer.speak(_only(clause)))
            async with aclosing(spoken) as chunks:
                async for chunk in chunks:
                    await asyncio.sleep(_SPEAK_S[0] + _SPEAK_S[1] * chunk.audio.duration_s)
                    yield chunk


async def _only(clause: Clause) -> AsyncGenerator[Clause, None]:
    yield clause


async def _next(source: AsyncGenerator[T, None]) -> T | None:
    return await anext(source, None)


async def _close(source: AsyncGenerator[T, None]) -> None:
    await source.aclose()
