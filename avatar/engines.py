"""Every model of the service: loaded once, shared by all calls."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, get_args

from avatar.cores import in_one_thread
from avatar.dialogue import prompt
from avatar.dialogue.keeping import Keeping
from avatar.dialogue.persona import Persona, load_persona
from avatar.face.library import face_folder
from avatar.face.poster import draw_poster
from avatar.opener import Opener
from avatar.settings import FaceSettings, LlmSettings, Settings
from avatar.store import ModelStore
from avatar.tools.toolbox import NoServerTools, ServerTools
from avatar.turn import Voice
from render.animator import FaceAnimator
from render.baked.asset import BakedFace
from render.baked.renderer import BakedRenderer, warm
from render.lipsync import PhonemeLipSync
from speech.asr.moonshine import Moonshine
from speech.asr.whisper import Whisper
from speech.closing import WordsJudge
from speech.errors import RenderError
from speech.llm.embedded import EmbeddedModel
from speech.llm.fitting import fitted
from speech.llm.openai_compatible import OpenAICompatibleLanguageModel
from speech.stages import (
    ClosingJudge,
    LanguageModel,
    Recognizer,
    Synthesizer,
    TurnDetector,
    VoiceDetector,
)
from speech.text.normalise import normalise
from speech.tts.hibari import HibariVoice
from speech.tts.kokoro import KokoroVoice
from speech.turn_detector import SmartTurn
from speech.types import Clause, Language, SpeechChunk
from speech.vad import SileroModel

LANGUAGES: tuple[Language, ...] = get_args(Language)

_RECOGNIZERS: Mapping[str, Callable[[ModelStore, Language, SileroModel], Moonshine | Whisper]] = {
    "moonshine": lambda store, _, vad: Moonshine(store.path("moonshine-tiny-en"), vad.detector),
    "whisper": lambda store, language, vad: Whisper(
        store.path("whisper-base"), language, vad.detector
    ),
}

_VOICES: Mapping[str, Callable[[ModelStore, float], HibariVoice | KokoroVoice]] = {
    "hibari": lambda store, speed: HibariVoice(store.path("hibari") / "hibari.onnx", speed=speed),
    "kokoro": lambda store, speed: KokoroVoice(store.path("kokoro-82m-int8"), speed=speed),
}


class CallModel(LanguageModel, Protocol):
    """A language model lent to one call."""

    async def close(self) -> None:
        """Stop what it does and give it back."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """The stages that all calls share, and makers of those that each call has of its own.

    Attributes:
        persona: Who the avatar is.
        turn_detector: Shared.
        recognizers: By language.
        closing: Judges by the words whether a turn is over; None where that is not wanted.
        voices: By language.
        apologies: By language: spoken in advance.
        openers: By language: spoken in advance.
        covers: By language: spoken in advance.
        tools: That are run here.
        language_model: Lends a language model to one call.
        smaller_model: Lends one for when answers are late; None where none is configured.
        voice_detector: Makes the detector of one microphone.
        animator: Makes the movement of one call's face, from a seed.
        renderer: Makes the renderer of one call's face.
        poster: The face as a still, WebP; empty where no face is drawn.
        forgetting: Makes the language models forget the calls that have ended.
    """

    persona: Persona
    turn_detector: TurnDetector
    recognizers: Mapping[Language, Recognizer]
    voices: Mapping[Language, Voice]
    apologies: Mapping[Language, SpeechChunk]
    openers: Mapping[Language, tuple[Opener, ...]]
    language_model: Callable[[], CallModel]
    smaller_model: Callable[[], CallModel] | None
    voice_detector: Callable[[], VoiceDetector]
    animator: Callable[[int], FaceAnimator]
    renderer: Callable[[], BakedRenderer]
    poster: bytes
    closing: ClosingJudge | None = None
    covers: Mapping[Language, tuple[Opener, ...]] = field(default_factory=dict)
    tools: ServerTools = field(default_factory=NoServerTools)
    forgetting: tuple[Callable[[], Awaitable[None]], ...] = ()

    @classmethod
    @asynccontextmanager
    async def loaded(
        cls, settings: Settings, *, face: bool = True
    ) -> "AsyncGenerator[Engines, None]":
        """Load everything that `settings` name, fetching what is missing; free it at the end.

        Until then numpy multiplies matrices in one thread, in the whole process.

        Args:
            settings: What to load.
            face: Whether any face will be drawn; if not, none is loaded.

        Raises:
            ConfigError: The persona or the face is wrong.
            ModelStoreError: A model is missing and can't be fetched.
        """
        persona = load_persona(settings.persona, LANGUAGES, keeping_of(settings))
        store = ModelStore.default()
        async with AsyncExitStack() as stack:
            stack.enter_context(in_one_thread())
            drawn = await asyncio.to_thread(_load_face, settings, store) if face else None
            vad = SileroModel(store.path("silero-vad-v6") / "silero_vad_v6.onnx")
            turn_detector = SmartTurn(store.path("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx")
            stack.callback(turn_detector.close)
            closing = None
            if settings.listening.judge_words:
                closing = WordsJudge(store.path("smollm2-135m") / "model.gguf")
                stack.callback(closing.close)
            recognizers = {
                language: _RECOGNIZERS[getattr(settings.listening.recognizer, language)](
                    store, language, vad
                )
                for language in LANGUAGES
            }
            synthesizers = {
                language: _VOICES[getattr(settings.voice.voice, language)](
                    store, settings.voice.speed
                )
                for language in LANGUAGES
            }
            for recognizer in recognizers.values():
                stack.callback(recognizer.close)
            for synthesizer in synthesizers.values():
                stack.callback(synthesizer.close)
            forgetting: list[Callable[[], Awaitable[None]]] = []
            load = partial(_load_language_model, settings, store, persona, stack, forgetting)
            language_model = await load(settings.llm.model)
            smaller = settings.llm.smaller_model
            smaller_model = await load(smaller) if smaller else None
            lips = PhonemeLipSync()
            yield cls(
                persona=persona,
                turn_detector=turn_detector,
                closing=closing,
                recognizers=recognizers,
                voices={
                    language: Voice(language, tts, lips) for language, tts in synthesizers.items()
                },
                apologies={
                    language: await _say(tts, persona.apology[language], language)
                    for language, tts in synthesizers.items()
                },
                openers={
                    language: await _said(tts, persona.openers[language], language)
                    for language, tts in synthesizers.items()
                },
                covers={
                    language: await _said(tts, persona.covers[language], language)
                    for language, tts in synthesizers.items()
                },
                language_model=language_model,
                smaller_model=smaller_model,
                voice_detector=vad.detector,
                animator=FaceAnimator,
                renderer=partial(_renderer, drawn, settings.face),
                poster=draw_poster(drawn, settings.face.width, settings.face.height)
                if drawn
                else b"",
                forgetting=tuple(forgetting),
            )


def keeping_of(settings: Settings) -> Keeping:
    """What becomes of a person's words on a server with these settings."""
    return Keeping(
        can_record=settings.recording.enabled,
        is_shared=settings.llm.backend == "openai" or bool(settings.tools.mcp),
    )


def _renderer(face: BakedFace | None, settings: FaceSettings) -> BakedRenderer:
    if face is None:
        raise RenderError("No face was loaded, for none was to be drawn.")
    return BakedRenderer(face, settings.width, settings.height)


def _load_face(settings: Settings, store: ModelStore) -> BakedFace:
    face = BakedFace.load(face_folder(settings.face.name))
    warm(face, settings.face.width, settings.face.height, store.cache / "kernels")
    return face


async def _load_language_model(
    settings: Settings,
    store: ModelStore,
    persona: Persona,
    stack: AsyncExitStack,
    forgetting: list[Callable[[], Awaitable[None]]],
    name: str,
) -> Callable[[], CallModel]:
    llm: LlmSettings = settings.llm
    if llm.backend == "openai":
        return lambda: OpenAICompatibleLanguageModel(
            llm.base_url,
            name,
            llm.api_key.get_secret_value(),
            max_tokens=llm.max_reply_tokens,
            temperature=llm.temperature,
            timeout_s=llm.timeout_s,
        )
    weights = await asyncio.to_thread(
        lambda: fitted(store.path(name) / "model.gguf", store.cache / "fitted")
    )
    spoken = sorted(LANGUAGES, key=lambda language: language != settings.listening.language)
    beginnings = [prompt.beginning(persona, language) for language in spoken]
    model = await stack.enter_async_context(
        EmbeddedModel(
            weights,
            threads=llm.threads,
            context_tokens=llm.context_tokens,
            slots=settings.server.max_calls,
            max_tokens=llm.max_reply_tokens,
            temperature=llm.temperature,
            saved=store.cache / "prompts",
        )
    )
    await model.warm(beginnings)
    await model.warm_tools()
    forgetting.append(model.forget)
    return lambda: model.conversation(beginnings[0])


async def _said(tts: Synthesizer, lines: Iterable[str], language: Language) -> tuple[Opener, ...]:
    return tuple([Opener.of(await _say(tts, line, language)) for line in lines])


async def _say(tts: Synthesizer, text: str, language: Language) -> SpeechChunk:
    """One line, spoken; it also warms the voice."""

    async def clause() -> AsyncIterator[Clause]:
        yield Clause(text, normalise(text, language))

    async with aclosing(tts.speak(clause())) as chunks:
        return await anext(chunks)
