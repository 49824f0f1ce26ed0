"""What the benchmark makes a face say, spoken by the real voices."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.store import ModelStore
from speech.audio import resample_chunk
from speech.text.clauses import clauses
from speech.tts.hibari import HibariVoice
from speech.tts.kokoro import KokoroVoice
from speech.types import Language, SpeechChunk

SAYINGS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "Hi! I'm an AI. How are you today?",
        "My mother made a big pot of beef soup for our family.",
        "Bob moved up the map to buy a new purple book for Pam.",
        "I'm so sorry, that sounds really hard. Do you want to tell me about it?",
        "Five very fine fish live off the coast of Florida.",
        "Both of them thought that the weather would be lovely there.",
        "Wow, that's amazing! I can't believe you won the prize!",
        "We should choose a good blue shoe, you know.",
    ),
    "es": (
        "¡Hola! Soy una inteligencia artificial. ¿Cómo estás hoy?",
        "Mi mamá compró pan y un poco de vino para la fiesta.",
        "Vaya, lo siento mucho. ¿Quieres contármelo?",
        "También me gusta mucho la música y bailar por la noche.",
        "El problema es que no sabemos nada de ese hombre todavía.",
        "Un buen amigo puede cambiar tu vida para siempre.",
    ),
}
"""Every viseme, and many p b m."""

STORY: Mapping[Language, str] = {
    "en": "Hello, it's lovely to see you. I'm made of nothing but pictures and numbers, but I do "
    "like a good conversation. Tell me, what would you talk about if you had a whole afternoon? "
    "I might begin with the sea. People have watched it for as long as there have been people, "
    "and nobody has ever been bored by it. Isn't that a wonderful thing? And now it's your turn: "
    "tell me something that made you smile this week.",
    "es": "Hola, me alegro mucho de verte. Estoy hecha de imágenes y de números, pero me gusta una "
    "buena conversación. Dime, ¿de qué hablarías si tuvieras toda la tarde libre? Yo empezaría "
    "por el mar. La gente lo mira desde siempre, y nadie se ha aburrido nunca de él. ¿No te parece "
    "una maravilla? Y ahora te toca a ti: cuéntame algo que te haya hecho sonreír esta semana.",
}
"""More than 20 s in either language."""

DEFAULT_VOICES: Mapping[Language, str] = {"en": "hibari", "es": "kokoro-82m-int8"}
_VOICES: Mapping[str, Callable[[ModelStore], HibariVoice | KokoroVoice]] = {
    "hibari": lambda store: HibariVoice(store.path("hibari") / "hibari.onnx"),
    "kokoro-82m-int8": lambda store: KokoroVoice(store.path("kokoro-82m-int8")),
}


def voice_of(folder: Path, language: Language) -> str:
    """The voice that a face's card names, or the service's own where it names none that is here."""
    card = tomllib.loads((folder / "card.toml").read_text("utf-8"))
    named = card.get("voices", {}).get(language, "")
    return named if named in _VOICES else DEFAULT_VOICES[language]


def spoken(voice: str, language: Language, texts: tuple[str, ...]) -> list[list[SpeechChunk]]:
    """Each text as chunks of 48 kHz audio.

    Args:
        voice: A key of `_VOICES`.
        language: Of the texts.
        texts: To be said one after the other.

    Raises:
        ModelStoreError: The voice is missing and can't be fetched.
    """
    speaker = _VOICES[voice](ModelStore.default())
    try:
        return [asyncio.run(_say(speaker, language, text)) for text in texts]
    finally:
        speaker.close()


async def _say(
    speaker: HibariVoice | KokoroVoice, language: Language, text: str
) -> list[SpeechChunk]:
    async def written() -> AsyncIterator[str]:
        yield text

    async with aclosing(speaker.speak(clauses(written(), language))) as chunks:
        return [resample_chunk(chunk, 48_000) async for chunk in chunks]


def joined(chunks: list[SpeechChunk]) -> NDArray[np.int16]:
    """Their sound, int16 at 48 kHz, as it is played: one right after the other."""
    return np.concatenate([chunk.audio.pcm for chunk in chunks])
