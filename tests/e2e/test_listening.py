import asyncio

import numpy as np
import pytest
from hibari import Hibari

from avatar.store import ModelStore
from bench.wer import words
from speech.asr.moonshine import Moonshine
from speech.asr.whisper import Whisper
from speech.audio import resample
from speech.endpointing import Ended, Endpointer, Paused, Started
from speech.errors import RecognizerError
from speech.turn_detector import SmartTurn
from speech.types import Transcript
from speech.vad import WINDOW, SileroModel
from tests.e2e.listening_kit import (
    RATE_HZ,
    clipped,
    in_noise,
    pooled_wer,
    quiet,
    recordings,
    speech_probabilities,
    spoken_span,
    telephone,
)

pytestmark = pytest.mark.e2e

ENGLISH = recordings("en")
SPANISH = recordings("es")
EVERY = pytest.mark.parametrize("recording", ENGLISH + SPANISH, ids=lambda r: r.name)


@pytest.fixture(scope="module")
def silero():
    return SileroModel(ModelStore.default().path("silero-vad-v6") / "silero_vad_v6.onnx")


@pytest.fixture(scope="module")
def moonshine(silero):
    recognizer = Moonshine(ModelStore.default().path("moonshine-tiny-en"), silero.detector)
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="module")
def spanish_whisper(silero):
    recognizer = Whisper(ModelStore.default().path("whisper-base"), "es", silero.detector)
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="module")
def turns():
    folder = ModelStore.default().path("smart-turn-v3.2")
    detector = SmartTurn(folder / "smart-turn-v3.2-cpu.onnx")
    yield detector
    detector.close()


def transcribe(recognizer, pcm, draft=None):
    return asyncio.run(recognizer.recognize(pcm, draft))


def error_rate(recognizer, clips, degrade=lambda pcm: pcm):
    pairs = [(c.transcript, transcribe(recognizer, degrade(c.pcm)).text) for c in clips]
    return pooled_wer(pairs, clips[0].language)


def noise(seconds, level, seed=0):
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)) * level
    return np.clip(samples, -32768, 32767).astype(np.int16)


# What errors are allowed: a processor without VNNI adds up int8 products in 16 bits, which overflow
# now and then, and hears a sentence in some otherwise (docs/voices.md, "Older processors").


@EVERY
def test_speech_is_found_where_the_sound_is(recording, silero):
    start, end = spoken_span(recording.pcm, silero.detector())
    blocks = recording.pcm[: len(recording.pcm) // WINDOW * WINDOW].reshape(-1, WINDOW)
    level = np.sqrt(np.square(blocks, dtype=np.float64).mean(axis=1))
    loud = np.flatnonzero(level > level.max() / 5) * WINDOW
    assert loud[0] - 0.2 * RATE_HZ <= start <= loud[0] + 0.3 * RATE_HZ  # what the pre-roll mends
    assert loud[-1] - 0.2 * RATE_HZ <= end <= loud[-1] + 0.4 * RATE_HZ  # what the post-roll mends


@pytest.mark.parametrize("level", [0, 30, 300, 3000])
def test_noise_is_not_speech(level, silero):
    assert speech_probabilities(noise(5, level), silero.detector()).max() < 0.5


@EVERY
def test_an_utterance_ends_where_its_speech_does(recording, silero):
    detector, endpointer = silero.detector(), Endpointer(language=recording.language)
    pcm = np.concatenate([noise(1, 20), recording.pcm, noise(2, 20, seed=1)])
    events = []
    for at in range(WINDOW, len(pcm), WINDOW):
        window = pcm[at - WINDOW : at].astype(np.float32) / 32768
        if event := endpointer.step(detector.probability(window), at):
            events.append(event)
    start, end = spoken_span(pcm, silero.detector())
    assert isinstance(events[0], Started)
    assert start - 0.5 * RATE_HZ <= events[0].start_sample <= start
    assert [type(event) for event in events[-2:]] == [Paused, Ended]
    assert events[-1].end_sample == pytest.approx(end, abs=4 * WINDOW)


def test_moonshine_understands_english(moonshine):
    assert error_rate(moonshine, ENGLISH) <= 0.05


def test_whisper_understands_spanish(spanish_whisper):
    # 26 words: one wrong word is 4 %. Whisper base does no better in its full 30 s window.
    assert error_rate(spanish_whisper, SPANISH) <= 0.12


@pytest.mark.parametrize(
    ("degrade", "allowed"),
    [(quiet, 0.05), (in_noise, 0.15), (clipped, 0.12), (telephone, 0.08)],
    ids=["at -30 dBFS", "10 dB above noise", "clipped", "by telephone"],
)
def test_moonshine_understands_bad_sound(degrade, allowed, moonshine):
    assert error_rate(moonshine, ENGLISH, degrade) <= allowed


@pytest.mark.parametrize(
    ("degrade", "allowed"),
    [(quiet, 0.27), (in_noise, 0.27), (clipped, 0.27), (telephone, 0.27)],
    ids=["at -30 dBFS", "10 dB above noise", "clipped", "by telephone"],
)
def test_whisper_understands_bad_sound(degrade, allowed, spanish_whisper):
    assert error_rate(spanish_whisper, SPANISH, degrade) <= allowed


def test_moonshine_understands_a_voice_and_texts_of_no_recording(moonshine):
    voice = Hibari()
    texts = [
        "Could you tell me how to get to the museum from here?",
        "I would like to book a table for four people tomorrow evening.",
        "No, thanks.",
        "My number is five five five one two three four.",
    ]
    pairs = []
    for text in texts:
        pcm = np.rint(np.clip(voice(text), -1, 1) * 32767).astype(np.int16)
        heard = transcribe(moonshine, resample(pcm, voice.sample_rate, RATE_HZ))
        pairs.append((text, heard.text))
    assert pooled_wer(pairs, "en") <= 0.05


def test_a_verified_draft_leaves_the_text_as_it_would_be(moonshine):
    for clip in ENGLISH:
        draft = None
        for end in range(RATE_HZ // 2, len(clip.pcm), round(0.32 * RATE_HZ)):
            draft = transcribe(moonshine, clip.pcm[:end], draft)
        drafted, fresh = transcribe(moonshine, clip.pcm, draft), transcribe(moonshine, clip.pcm)
        # Word for word. A comma may differ: the network is quantised by the range of each pass,
        # so that many tokens at once round differently from one at a time.
        assert words(drafted.text, "en") == words(fresh.text, "en")


def test_a_draft_of_something_else_does_no_harm(moonshine):
    wrong = transcribe(moonshine, ENGLISH[3].pcm)
    foreign = Transcript("", "es", (99_999, -1, 50_000, 7))
    expected = words(transcribe(moonshine, ENGLISH[0].pcm).text, "en")
    for draft in (wrong, foreign):
        assert words(transcribe(moonshine, ENGLISH[0].pcm, draft).text, "en") == expected


class Counted:
    """A network that counts its passes."""

    def __init__(self, network):
        self._network = network
        self.passes = 0

    def run(self, *arguments):
        self.passes += 1
        return self._network.run(*arguments)

    def encode(self, features):
        self.passes += 1
        return self._network.encode(features)

    def generate(self, *arguments, **options):
        self.passes += 1
        return self._network.generate(*arguments, **options)


def test_a_draft_saves_most_passes_of_the_decoder(moonshine, monkeypatch):
    clip = max(ENGLISH, key=lambda c: len(c.pcm)).pcm
    decoder = Counted(moonshine._decoder)
    monkeypatch.setattr(moonshine, "_decoder", decoder)
    draft = transcribe(moonshine, clip)
    without = decoder.passes
    transcribe(moonshine, clip, draft)
    assert without > 10
    assert decoder.passes - without <= 3


@pytest.mark.parametrize("name", ["moonshine", "spanish_whisper"])
@pytest.mark.parametrize(
    "pcm",
    [np.zeros(0, np.int16), np.zeros(800, np.int16), np.zeros(48000, np.int16)]
    + [noise(seconds, level) for seconds in (0.05, 3) for level in (100, 3000)],
    ids=["nothing", "50 ms", "3 s", "noise 50 ms", "loud 50 ms", "noise 3 s", "loud 3 s"],
)
def test_silence_and_noise_have_no_words(name, pcm, request):
    transcript = transcribe(request.getfixturevalue(name), pcm)
    assert transcript.text == ""
    assert transcript.tokens == ()


@pytest.mark.parametrize("name", ["moonshine", "spanish_whisper"])
@pytest.mark.parametrize("ms", [50, 100, 250])
def test_a_scrap_of_speech_is_no_accident(name, ms, request):
    clip = SPANISH[0].pcm[8000 : 8000 + ms * 16]
    assert len(transcribe(request.getfixturevalue(name), clip).text) < 20


def test_moonshine_takes_a_minute_of_speech(moonshine):
    spoken = [*ENGLISH, *ENGLISH]
    pcm = np.concatenate([clip.pcm for clip in spoken])
    assert len(pcm) > 50 * RATE_HZ
    said = " ".join(clip.transcript for clip in spoken)
    assert pooled_wer([(said, transcribe(moonshine, pcm).text)], "en") <= 0.08


def test_whisper_takes_more_than_its_window(spanish_whisper):
    spoken = [*SPANISH, *SPANISH, *SPANISH]
    pcm = np.concatenate([clip.pcm for clip in spoken])
    assert len(pcm) > 36 * RATE_HZ
    said = " ".join(clip.transcript for clip in spoken)
    assert pooled_wer([(said, transcribe(spanish_whisper, pcm).text)], "es") <= 0.25


@pytest.mark.parametrize(
    ("name", "network"), [("moonshine", "_decoder"), ("spanish_whisper", "_model")]
)
def test_a_cancelled_recognition_frees_the_recogniser_soon(name, network, request, monkeypatch):
    recognizer = request.getfixturevalue(name)
    long = np.concatenate([clip.pcm for clip in ENGLISH + SPANISH] * 4)  # 2.5 minutes
    counted = Counted(getattr(recognizer, network))
    monkeypatch.setattr(recognizer, network, counted)

    async def script():
        async with asyncio.TaskGroup() as tasks:
            dropped = tasks.create_task(recognizer.recognize(long))
            async with asyncio.timeout(120):
                while counted.passes == 0:  # noqa: ASYNC110 - counted in the worker's thread
                    await asyncio.sleep(0.001)
            dropped.cancel()
            await asyncio.wait([dropped], timeout=60)
            assert dropped.cancelled()
        before = counted.passes
        text = (await recognizer.recognize(SPANISH[2].pcm)).text
        return before, counted.passes - before, text

    before, both, text = asyncio.run(script())
    alone = counted.passes
    transcribe(recognizer, SPANISH[2].pcm)
    alone = counted.passes - alone
    assert text
    print(f"\n{before} passes before the cancel; {both - alone} after it")
    # The pass that ran, of which Whisper's can't be stopped, and one that sees the cancel.
    assert both - alone <= 2


def test_a_failing_network_is_a_recogniser_error(silero):
    recognizer = Moonshine(ModelStore.default().path("moonshine-tiny-en"), silero.detector)
    recognizer._decoder = recognizer._encoder  # a network with other inputs
    with pytest.raises(RecognizerError):
        transcribe(recognizer, ENGLISH[0].pcm)
    recognizer.close()


def test_the_turn_detector_tells_whole_sentences_from_halves(turns, silero):
    whole, half = [], []
    for clip in ENGLISH + SPANISH:
        start, end = spoken_span(clip.pcm, silero.detector())
        for pcm, verdicts in (
            (clip.pcm[start:end], whole),
            (clip.pcm[start : -len(clip.pcm) // 2], half),
        ):
            verdicts.append(asyncio.run(turns.finished(pcm)))
    # One "whole" clip is read as half a sentence, and goes on in the book.
    assert np.mean(np.array(whole) > 0.5) >= 0.7
    assert np.mean(np.array(half) < 0.5) >= 0.7


@pytest.mark.parametrize("samples", [0, 1, 160, 20 * RATE_HZ])
def test_the_turn_detector_takes_any_length(samples, turns):
    assert 0 <= asyncio.run(turns.finished(noise(samples / RATE_HZ, 300))) <= 1
