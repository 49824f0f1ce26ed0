"""What the voices say, written down again, and where they say they said it."""

import asyncio
import threading
from contextlib import aclosing
from functools import cache

import numpy as np
import pytest

from avatar.store import ModelStore
from speech.asr.moonshine import Moonshine
from speech.asr.whisper import Whisper
from speech.audio import resample
from speech.phonemes import VISEME_OF, is_vowel, visemes
from speech.text.clauses import clauses
from speech.tts.hibari import HibariVoice
from speech.tts.kokoro import KokoroVoice
from speech.types import Clause, SpeechChunk
from speech.vad import SileroModel
from tests.e2e.listening_kit import RATE_HZ, pooled_wer

pytestmark = pytest.mark.e2e

ENGLISH = [
    "Hello there, how are you today?",
    "The museum opens at 9:30 in the morning.",
    "Your order costs $24.50 in total.",
    "We are open from Monday to Friday.",
    "The meeting with Dr. Smith is at 3:15 pm.",
    "About 1,200 people live in this village.",
    "She was born on May 4th, 1987.",
    "Water boils at 100°C.",
    "It takes 20 minutes to get to the station.",
    "**Please** wait here for a moment.",
    "My favorite color is blue. What is yours?",
    "The train to Boston leaves from platform 7.",
    "I can't find my keys anywhere 😀.",
    "About 75% of the students passed the test.",
    "Turn left at the second light, then go straight.",
    "Louis XIV was the king of France.",
    "The box weighs 12 kg and the bag weighs half of that.",
    "Would you like tea, coffee or orange juice?",
    "The war ended in 1945.",
    "Thank you very much for your help!",
    "The answer is 2 + 2 = 4.",
    "They walked 5 miles along the river.",
]
SPANISH = [
    "Hola, ¿cómo estás hoy?",
    "El museo abre a las 9:30 de la mañana.",
    "El libro cuesta 15 euros.",
    "Estamos abiertos de lunes a viernes.",
    "La reunión con el Dr. García es el martes.",
    "En este pueblo viven 200 personas.",
    "Nació el 4 de mayo de 1987.",
    "El agua hierve a 100 grados.",
    "Tarda 20 minutos en llegar a la estación.",
    "Por favor, espere un momento aquí.",
    "Mi color favorito es el azul. ¿Y el tuyo?",
    "El tren a Madrid sale del andén 7.",
    "No encuentro mis llaves por ninguna parte.",
    "Muchas gracias por tu ayuda, señora López.",
    "¿Quieres un vaso de agua o prefieres café?",
]
# Whisper base mishears a lone "Sí" from espeak-ng too, a lone "No" from this voice alone, and "De
# nada." or not, whatever comes before it, by a few milliseconds of silence.
SINGLE = {
    "en": ["Yes.", "No.", "Hello!", "Thanks."],
    "es": ["¡Hola!", "Gracias.", "Buenos días.", "Hasta luego.", "Por supuesto."],
}


@pytest.fixture(scope="module")
def hibari():
    voice = HibariVoice(ModelStore.default().path("hibari") / "hibari.onnx")
    yield voice
    voice.close()


@pytest.fixture(scope="module")
def kokoro():
    voice = KokoroVoice(ModelStore.default().path("kokoro-82m-int8"))
    yield voice
    voice.close()


@pytest.fixture(scope="module")
def silero():
    return SileroModel(ModelStore.default().path("silero-vad-v6") / "silero_vad_v6.onnx")


@pytest.fixture(scope="module")
def moonshine(silero):
    recognizer = Moonshine(ModelStore.default().path("moonshine-tiny-en"), silero.detector)
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="module")
def whisper(silero):
    recognizer = Whisper(ModelStore.default().path("whisper-base"), "es", silero.detector)
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="module", params=["hibari", "kokoro"])
def spoken(request):
    """Every sentence as chunks of one voice."""
    voice = request.getfixturevalue(request.param)
    language, sentences = ("en", ENGLISH) if request.param == "hibari" else ("es", SPANISH)
    return [chunk for text in sentences for chunk in sentence(voice, text, language)]


@cache
def sentence(voice, text, language) -> list[SpeechChunk]:
    """As `speak`, once for all tests."""
    return speak(voice, text, language)


def speak(voice, text, language) -> list[SpeechChunk]:
    async def deltas():
        for start in range(0, len(text), 4):
            yield text[start : start + 4]

    async def collect():
        async with aclosing(voice.speak(clauses(deltas(), language))) as chunks:
            return [chunk async for chunk in chunks]

    return asyncio.run(collect())


def heard(recognizer, chunks) -> str:
    pcm = np.concatenate([chunk.audio.pcm for chunk in chunks])
    silence = np.zeros(4800, np.int16)  # as on a call: recognisers mishear an abrupt beginning
    pcm = np.concatenate([silence, pcm, silence])
    return asyncio.run(recognizer.recognize(resample(pcm, 24_000, RATE_HZ))).text


def word_error_rate(voice, recognizer, sentences, language) -> float:
    pairs = [(text, heard(recognizer, sentence(voice, text, language))) for text in sentences]
    rate = pooled_wer(pairs, language)
    print(
        f"\nWER {language} {rate:.1%}", *(pair for pair in pairs if pair[0] != pair[1]), sep="\n  "
    )
    return rate


def test_english_is_understood(hibari, moonshine):
    assert word_error_rate(hibari, moonshine, ENGLISH, "en") <= 0.05


def test_spanish_is_understood(kokoro, whisper):
    # Whisper base mishears 11 % of what people say, and of the same sound not always the same.
    assert word_error_rate(kokoro, whisper, SPANISH, "es") <= 0.12


def test_single_words_are_not_clipped(hibari, kokoro, moonshine, whisper):
    assert word_error_rate(hibari, moonshine, SINGLE["en"], "en") == 0
    assert word_error_rate(kokoro, whisper, SINGLE["es"], "es") == 0


def test_phonemes_stand_in_order_within_the_audio_and_have_a_mouth_shape(spoken):
    for chunk in spoken:
        edges = [e for p in chunk.phonemes for e in (p.start_sample, p.end_sample)]
        assert edges == sorted(edges)
        assert edges[0] >= 0
        assert edges[-1] <= len(chunk.audio.pcm)
        assert all(p.start_sample < p.end_sample for p in chunk.phonemes)
        assert all("sil" not in visemes(p.phoneme) for p in chunk.phonemes)
        assert any(p.stressed for p in chunk.phonemes)
        assert all(is_vowel(p.phoneme) for p in chunk.phonemes if p.stressed)


def test_the_first_phoneme_starts_and_the_last_ends_with_the_sound(spoken):
    for chunk in spoken:
        envelope = loudness_db(chunk)
        loud = np.flatnonzero(envelope > envelope.max() - 35)
        assert abs(chunk.phonemes[0].start_sample / 24 - loud[0] * 5) <= 40
        assert abs(chunk.phonemes[-1].end_sample / 24 - (loud[-1] + 1) * 5) <= 80


def test_vowels_are_loud_where_they_stand_and_lips_closed_for_stops_are_quiet(spoken):
    right, wrong = lips_contrast(spoken, 0), max(lips_contrast(spoken, s) for s in (-150, 150))
    print(f"\ncontrast {right:.1f} dB, {wrong:.1f} dB when 150 ms off")
    assert right > 8
    assert right > wrong + 4


def test_the_level_is_the_same_and_never_clips(spoken):
    levels = []
    for chunk in spoken:
        samples = chunk.audio.pcm.astype(np.float64)
        assert np.abs(samples).max() < 32_000
        envelope = loudness_db(chunk)
        powers = 10 ** (envelope[envelope > envelope.max() - 40] / 10)
        levels.append(10 * np.log10(powers.mean()))
    print(f"\nlevel {np.mean(levels):.1f} dBFS, spread {np.std(levels):.1f} dB")
    assert abs(np.mean(levels) + 20) < 2


def test_pauses_follow_the_punctuation(hibari):
    def trailing_ms(text):
        (chunk,) = speak(hibari, text, "en")
        return (len(chunk.audio.pcm) - chunk.phonemes[-1].end_sample) / 24

    assert 150 <= trailing_ms("I am glad.") <= 250
    assert 50 <= trailing_ms("I am glad,") <= 120


def test_the_same_words_sound_the_same_in_two_sessions_at_once(hibari):
    alone = speak(hibari, "One thing at a time.", "en")[0]

    async def said():
        async def one():
            yield Clause("One thing at a time.", "One thing at a time.")

        return [chunk async for chunk in hibari.speak(one())]

    async def both():
        return await asyncio.gather(said(), said())

    for (chunk,) in asyncio.run(both()):
        assert np.array_equal(chunk.audio.pcm, alone.audio.pcm)
        assert chunk.phonemes == alone.phonemes


def test_a_cancelled_clause_lets_the_next_one_start_at_once(kokoro, monkeypatch):
    running, ended = threading.Event(), []
    synthesize = kokoro._synthesize

    def noted(spoken, options):
        running.set()
        try:
            utterance = synthesize(spoken, options)
            ended.append("spoken")
            return utterance
        except Exception:
            ended.append("stopped")
            raise

    monkeypatch.setattr(kokoro, "_synthesize", noted)

    async def one(text):
        yield Clause(text, text)

    async def cut_off():
        long = "Esta es una frase bastante larga que nadie va a escuchar. " * 4
        async with asyncio.TaskGroup() as tasks:
            dropped = tasks.create_task(anext(kokoro.speak(one(long))))
            await asyncio.to_thread(running.wait, 60)
            dropped.cancel()
        return await anext(kokoro.speak(one("Sí.")))

    assert len(asyncio.run(cut_off()).audio.pcm)
    assert ended == ["stopped", "spoken"]


def loudness_db(chunk) -> np.ndarray:
    """Level of every 5 ms."""
    pcm = chunk.audio.pcm.astype(np.float64)[: len(chunk.audio.pcm) // 120 * 120]
    return 20 * np.log10(np.sqrt((pcm.reshape(-1, 120) ** 2).mean(1)) / 32768 + 1e-6)


def lips_contrast(chunks, shift_ms: int) -> float:
    """Decibels between the middles of vowels and of p, b and m, all moved by `shift_ms`."""
    vowels, lips = [], []
    for chunk in chunks:
        envelope = loudness_db(chunk)
        for phoneme in chunk.phonemes:
            middle = (phoneme.start_sample + phoneme.end_sample) // 2 + shift_ms * 24
            level = envelope[np.clip(middle // 120, 0, len(envelope) - 1)]
            if is_vowel(phoneme.phoneme):
                vowels.append(level)
            elif VISEME_OF[phoneme.phoneme] == "PP" and phoneme.phoneme != "m":
                lips.append(level)
    return float(np.mean(vowels) - np.mean(lips))
