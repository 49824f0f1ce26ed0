"""The mouth's movement for what the real voices say."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from avatar.client.lip_sync import loudness_curve, skew_s
from avatar.store import ModelStore
from render.lipsync import PhonemeLipSync
from render.types import ARKIT, SPEECH_CLOCK_HZ, TRACK_RATE_HZ, VisemeTrack
from render.visemes import sides
from speech.audio import resample_chunk
from speech.phonemes import VISEME_OF
from speech.text.clauses import clauses
from speech.tts.hibari import HibariVoice
from speech.tts.kokoro import KokoroVoice
from speech.types import SpeechChunk

pytestmark = pytest.mark.e2e

SAYINGS = {
    "en": [
        "Hi! I'm Elena, an AI. How are you today?",
        "My mother made a big pot of beef soup for our family.",
        "Bob moved up the map to buy a new purple book for Pam.",
        "I'm so sorry, that sounds really hard. Do you want to tell me about it?",
        "Five very fine fish live off the coast of Florida.",
        "Both of them thought that the weather would be lovely there.",
        "Wow, that's amazing! I can't believe you won the prize!",
        "We should choose a good blue shoe, you know.",
    ],
    "es": [
        "¡Hola! Soy Elena, una inteligencia artificial. ¿Cómo estás hoy?",
        "Mi mamá compró pan y un poco de vino para la fiesta.",
        "Vaya, lo siento mucho. ¿Quieres contármelo?",
        "También me gusta mucho la música y bailar por la noche.",
        "El problema es que no sabemos nada de ese hombre todavía.",
        "Un buen amigo puede cambiar tu vida para siempre.",
    ],
}
JAW, CLOSE = ARKIT.index("jawOpen"), ARKIT.index("mouthClose")
PARTERS = [i for n in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel") for i in sides(n)]
CLOSED = 0.06  # weight, of what parts the lips
FRAME = TRACK_RATE_HZ // 25


def say(language: str) -> list[list[SpeechChunk]]:
    store = ModelStore.default()
    voice = (
        HibariVoice(store.path("hibari") / "hibari.onnx")
        if language == "en"
        else KokoroVoice(store.path("kokoro-82m-int8"))
    )

    async def spoken(text):
        async def written():
            yield text

        async with aclosing(voice.speak(clauses(written(), language))) as chunks:
            return [chunk async for chunk in chunks]

    try:
        return [asyncio.run(spoken(text)) for text in SAYINGS[language]]
    finally:
        voice.close()


@pytest.fixture(scope="module", params=["en", "es"])
def sayings(request) -> list[list[tuple[SpeechChunk, VisemeTrack]]]:
    lips = PhonemeLipSync()
    return [[(c, lips.animate(c)) for c in chunks] for chunks in say(request.param)]


def gap(track: VisemeTrack) -> np.ndarray:
    return np.maximum(track.weights[:, JAW] - track.weights[:, CLOSE], 0)


def parted(track: VisemeTrack) -> np.ndarray:
    return np.maximum(gap(track), track.weights[:, PARTERS].max(1))


def times(track: VisemeTrack) -> np.ndarray:
    return np.arange(len(track.weights)) / TRACK_RATE_HZ + track.lead / SPEECH_CLOCK_HZ


def test_every_p_b_and_m_closes_the_lips_for_a_frame_at_any_phase(sayings):
    closed = []
    for chunk, track in (pair for pairs in sayings for pair in pairs):
        at = times(track)
        for phoneme in chunk.phonemes:
            if VISEME_OF.get(phoneme.phoneme) == "PP":
                begin, end = (n / 24_000 for n in (phoneme.start_sample, phoneme.end_sample))
                near = parted(track)[(at > begin - 0.03) & (at < end + 0.03)] < CLOSED
                runs = "".join("x" if shut else " " for shut in near).split()
                closed.append(max(map(len, runs), default=0) >= FRAME)
    print(f"\n{sum(closed)} of {len(closed)} closed")
    assert len(closed) > 25
    assert np.mean(closed) >= 0.97


def test_the_opening_follows_the_loudness_within_20_ms(sayings):
    mouth, sound, start_s = [], [], 0.0
    for chunk, track in (pair for pairs in sayings for pair in pairs):
        at = times(track)
        opening = gap(track) + 0.3 * track.weights[:, PARTERS].mean(1)
        heard = (at >= 0) & (at <= chunk.audio.duration_s)
        mouth += zip((at[heard] + start_s).tolist(), opening[heard].tolist(), strict=True)
        pcm = resample_chunk(chunk, SPEECH_CLOCK_HZ).audio.pcm
        sound += loudness_curve([(start_s, pcm)])
        start_s += len(pcm) / SPEECH_CLOCK_HZ
    skew = skew_s(mouth, sound)
    print(f"\nsound ahead of the lips by {skew * 1e3:.0f} ms")
    assert abs(skew) <= 0.020


def test_lips_set_off_before_the_sound_of_a_phrase(sayings):
    leads_ms = []
    for chunk, track in (pair for pairs in sayings for pair in pairs):
        if VISEME_OF.get(chunk.phonemes[0].phoneme) in ("PP", "FF"):
            continue  # they begin with the mouth shut, as it is
        opening = parted(track)
        sets_off = times(track)[(opening > 0.1 * opening.max()).argmax()]
        leads_ms.append(1e3 * (chunk.phonemes[0].start_sample / 24_000 - sets_off))
    print(f"\nlips lead by {np.median(leads_ms):.0f} ms")
    assert 50 <= np.median(leads_ms) <= 130


def test_the_mouth_does_not_flutter_at_25_fps(sayings):
    turns = frames = 0
    for _, track in (pair for pairs in sayings for pair in pairs):
        opening = (gap(track) + 0.5 * track.weights[:, PARTERS].mean(1))[::FRAME]
        step = np.diff(opening)
        turns += ((step[1:] * step[:-1] < 0) & (np.abs(step[1:]) > 0.06)
                  & (np.abs(step[:-1]) > 0.06)).sum()  # fmt: skip
        frames += len(step)
    print(f"\n{turns} reversals in {frames} frames")
    assert turns / frames < 0.02


def test_the_jaw_is_slower_than_the_lips_and_opens_as_in_talk(sayings):
    jaw = [t.weights[::FRAME, JAW] for pairs in sayings for _, t in pairs]
    lips = [parted(t)[::FRAME] for pairs in sayings for _, t in pairs]
    assert np.mean([np.abs(np.diff(j)).max() for j in jaw]) < 0.16
    assert np.mean([np.abs(np.diff(j)).max() for j in jaw]) < np.mean(
        [np.abs(np.diff(x)).max() for x in lips]
    )
    assert 0.2 < np.median([j.max() for j in jaw]) < 0.45
