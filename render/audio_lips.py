"""Lip sync by ear: mouth movement from the sound alone, for voices without phoneme timings."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from render.coarticulation import frame_times
from render.loudness import Loudness
from render.types import ARKIT, SPEECH_CLOCK_HZ, TRACK_RATE_HZ, VisemeTrack
from render.visemes import ARTICULATION, sides
from speech.phonemes import VISEMES, Viseme
from speech.types import AudioFrame, SpeechChunk

_WINDOW_S = 0.032
_LEAD_S = 0.050
_SMOOTH_FRAMES = 5
# Where the energy of a vowel's second formant and of a sibilant lies, after Peterson & Barney
# (1952): rounded back vowels have it below 1 kHz, spread front vowels about 2 kHz.
_BANDS_HZ = {"first": (250, 950), "second": (950, 3200), "hiss": (3800, 9000)}
_ROUND_HZ, _SPREAD_HZ = 1150.0, 2000.0
_BEAT_GAP_S = 0.35


class AudioLipSync:
    """Mouth movement from loudness (opening), second formant (round or spread) and hiss."""

    def animate(self, chunk: SpeechChunk) -> VisemeTrack:
        """Mouth movement for a chunk, at any sample rate from 8 kHz up."""
        times = frame_times(chunk.audio.duration_s)
        lead = round(times[0] * SPEECH_CLOCK_HZ)
        if len(chunk.audio.pcm) < chunk.audio.sample_rate * _WINDOW_S or not chunk.audio.pcm.any():
            return VisemeTrack(np.zeros((len(times), len(ARKIT)), np.float32), lead)
        measured = Loudness.of(chunk.audio)
        loudness = measured.around(times + _LEAD_S)
        spread, hiss = (
            _smooth(np.interp(times + _LEAD_S, *feature)) for feature in _features(chunk.audio)
        )
        weights = _shape("aa") * (loudness * np.clip(1 - np.abs(spread), 0.25, 1))[:, None]
        weights += _shape("I") * (loudness * np.clip(spread, 0, 1))[:, None]
        weights += _shape("U") * (loudness * np.clip(-spread, 0, 1))[:, None]
        weights += hiss[:, None] * (_shape("SS") * loudness[:, None] - weights)
        weights *= measured.effort
        envelope = _dips(chunk.audio, times + _LEAD_S)
        weights[:, list(sides("jawOpen"))] *= envelope[:, None]
        weights[:, list(sides("mouthLowerDown"))] *= envelope[:, None]
        return VisemeTrack(np.clip(weights, 0, 1).astype(np.float32), lead, _beats(loudness, times))


def _shape(viseme: Viseme) -> NDArray[np.float32]:
    shape: NDArray[np.float32] = ARTICULATION.targets[VISEMES.index(viseme)]
    return shape


def _features(
    audio: AudioFrame,
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """How spread (1) or round (-1) the vowels are, and how much is hiss; each (times, values)."""
    size, step = int(audio.sample_rate * _WINDOW_S), audio.sample_rate // TRACK_RATE_HZ
    windows = sliding_window_view(audio.pcm.astype(np.float64), size)[::step]
    power = np.abs(np.fft.rfft(windows * np.hanning(size))) ** 2
    hz = np.fft.rfftfreq(size, 1 / audio.sample_rate)
    at = (np.arange(len(windows)) * step + size / 2) / audio.sample_rate
    band = {name: (hz >= low) & (hz < high) for name, (low, high) in _BANDS_HZ.items()}
    energy = {name: power[:, chosen].sum(1) + 1e-9 for name, chosen in band.items()}
    # The first formant is 10-20 dB stronger; square-rooting lets the second one speak.
    root = np.sqrt(power[:, band["second"]]) + 1e-9
    centroid = (root * hz[band["second"]]).sum(1) / root.sum(1)
    middle, half = (_ROUND_HZ + _SPREAD_HZ) / 2, (_SPREAD_HZ - _ROUND_HZ) / 2
    spread = np.clip(
        (centroid - np.median(centroid)) / half + (np.median(centroid) - middle) / half / 4, -1, 1
    )
    voiced = energy["first"] + energy["second"]
    hiss = np.clip((energy["hiss"] / voiced - 0.5) / 2, 0, 1)
    return (at, spread), (at, hiss)


def _dips(audio: AudioFrame, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far short energy dips (stops, nasals) close the mouth: 1 open, 0 closed."""
    step = audio.sample_rate // TRACK_RATE_HZ
    count = len(audio.pcm) // step
    rms = np.sqrt((audio.pcm[: count * step].reshape(count, step).astype(np.float64) ** 2).mean(1))
    around = sliding_window_view(np.pad(rms, 10, mode="edge"), 21).max(1) + 1e-9
    dip = np.clip((20 * np.log10(rms / around + 1e-9) + 26) / 18, 0, 1)
    return _smooth(np.interp(times, (np.arange(count) + 0.5) / TRACK_RATE_HZ, dip, left=0, right=0))


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel = np.hanning(_SMOOTH_FRAMES + 2)
    return np.convolve(values, kernel / kernel.sum(), mode="same")


def _beats(loudness: NDArray[np.float64], times: NDArray[np.float64]) -> tuple[int, ...]:
    """Loudness peaks, as stand-ins for stressed vowels; samples on the speech clock."""
    out: list[int] = []
    for k in range(1, len(loudness) - 1):
        peak = loudness[k] > 0.85 and loudness[k - 1] <= loudness[k] > loudness[k + 1]
        sample = round((times[k] + _LEAD_S) * SPEECH_CLOCK_HZ)
        if peak and (not out or sample - out[-1] > _BEAT_GAP_S * SPEECH_CLOCK_HZ):
            out.append(sample)
    return tuple(out)
