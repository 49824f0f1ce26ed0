"""Whisper's log-mel spectrogram, in numpy.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), 2.2: 80 mel
bands over 25 ms Hann windows every 10 ms at 16 kHz. Agrees with the reference feature extractors to
1e-4 (tests/speech/test_mel.py holds their numbers).
"""

import functools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE_HZ = 16_000
HOP = 160
"""Samples between two columns: 10 ms."""

_WINDOW = 400
_BANDS = 80


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute log-mel features, compressed to about [-1, 1] as Whisper was trained on.

    Args:
        samples: float32 in [-1, 1], shape (n,), 16 kHz, n >= 201.

    Returns:
        float32, shape (80, n // 160).
    """
    padded = np.pad(samples, _WINDOW // 2, mode="reflect")
    frames = sliding_window_view(padded, _WINDOW)[::HOP][: len(samples) // HOP]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    log = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    log = np.maximum(log, log.max() - 8.0)  # 80 dB of range below the loudest
    compressed: NDArray[np.float32] = ((log + 4.0) / 4.0).astype(np.float32)
    return compressed


@functools.cache
def _hann() -> NDArray[np.float32]:
    n = np.arange(_WINDOW)  # periodic: the last zero is left out
    return (0.5 - 0.5 * np.cos(2 * np.pi * n / _WINDOW)).astype(np.float32)


@functools.cache
def _filters() -> NDArray[np.float32]:
    """Triangular filters on Slaney's mel scale, each of unit area: float32, shape (80, 201).

    Slaney, "Auditory Toolbox" (1998), Interval Research TR 1998-010.
    """
    edges = _hz(np.linspace(0.0, _mel(RATE_HZ / 2), _BANDS + 2))
    bins = np.arange(_WINDOW // 2 + 1) * (RATE_HZ / _WINDOW)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


_LINEAR_HZ = 200 / 3  # per mel below 1 kHz
_LOG_STEP = np.log(6.4) / 27  # per mel above: 27 mels from 1 kHz to 6.4 kHz
_KNEE_MEL = 1000 / _LINEAR_HZ


def _mel(hz: float) -> float:
    return float(_KNEE_MEL + np.log(hz / 1000) / _LOG_STEP) if hz >= 1000 else hz / _LINEAR_HZ


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above: NDArray[np.float64] = 1000 * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ, above)
