"""Tells a microphone's sound that an echo explains from a person's, by energy alone.

Whatever becomes of its waveform on the way, an echo is never much louder, in any band, than the
room has made what was played so far. So what is usual is learnt, band by band, and who is louder
than that in some bands is somebody else. Unlike a canceller this needs no exact delay: it bears a
delay that jumps, a clock that drifts, and a loudspeaker that distorts.
"""

import numpy as np
from numpy.typing import NDArray

from speech.stages import LISTENING_RATE_HZ

LEAD_SAMPLES = LISTENING_RATE_HZ * 11 // 100
"""So much earlier than its echo the played sound is wanted, where it can be: 110 ms."""

_HOP = LISTENING_RATE_HZ // 100
_WINDOW = 2 * _HOP
_EDGES_HZ = (200, 400, 600, 800, 1000, 1300, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 7500)
_BAND_COUNT = len(_EDGES_HZ) - 1
# An echo is looked for in hops before and behind its place, for it smears. In the wider reach, that
# of a delay which has jumped, more is explained; the narrower one says more exactly how loud it is.
# Either explains it. 1 dB more keeps 3 of 27 people from being heard who are as loud as the echo.
_BEFORE, _BEHIND = np.array([5, LEAD_SAMPLES // _HOP]), np.array([7, 12])
_MARGINS_DB = np.array([[5.0], [4.0]])
_KEPT_HOPS = int(_BEFORE.max() + _BEHIND.max()) + 1
_RINGS = 0.7  # of the energy is left 10 ms later: 0.4 s to fall by 60 dB
_OPENS_DB, _STAYS_DB = 0.35, 0.15
_MEMORY = 0.8  # of the excess, a hop
_MOST_DB = 10.0  # that a band counts
_OPEN_HOPS = 25  # of a person are let through after the last sign of them

_PLAYS_DB = 45.0  # what is played teaches something, in a band, from here on
_OVER_FLOOR_DB = 6.0  # and what is heard
_LOUD_SHARE = 0.8  # of the echo is under what is learnt
_FIRST_OVER_DB = 10.0
_FIRST_STEPS_DB, _STEP_DB = 15.0, 0.2  # the first is shared among the hops so far
_NEW_HOPS, _SHARE_OPEN = 100, 0.25  # of a step is made while a person may speak, but in the first

_NOISE_DB = 10.0  # over its floor noise comes by itself
_FIRST_FLOOR_DB, _FLOOR_FALLS, _FLOOR_RISES_DB = 90.0, 0.3, 0.03  # falls by a share of it


def _bands() -> NDArray[np.float64]:
    """Which bins are in which band, 0 or 1: float64, shape (161, 13)."""
    hz = np.fft.rfftfreq(_WINDOW, 1 / LISTENING_RATE_HZ)[:, np.newaxis]
    return ((hz >= _EDGES_HZ[:-1]) & (hz < _EDGES_HZ[1:])).astype(np.float64)


_TAPER = np.hanning(_WINDOW + 2)[1:-1]
_BANDS = _bands() / np.square(_TAPER).sum()


class EchoGate:
    """One per microphone: 0.3 ms of CPU for 10 ms of sound, on a busy core.

    Learns in the first second of an echo; until it has heard 20 ms of one, it lets all through.
    """

    def __init__(self) -> None:
        self._sound = np.zeros((2, _WINDOW - _HOP))
        self._ringing = np.zeros(_BAND_COUNT)
        self._lately = np.zeros((_KEPT_HOPS, _BAND_COUNT))
        self._gains_db = np.zeros((len(_MARGINS_DB), _BAND_COUNT))  # of either reach
        self._taught = np.zeros(_BAND_COUNT)  # hops
        self._floor_db = np.full(_BAND_COUNT, _FIRST_FLOOR_DB)
        self._excess_db = 0.0
        self._open = 0  # hops that it will be

    def step(
        self, heard: NDArray[np.int16], played: NDArray[np.int16], lead: int
    ) -> NDArray[np.bool_]:
        """Judge what the microphone hears.

        Args:
            heard: int16 at 16 kHz, shape (samples,).
            played: Likewise, what was played `lead` samples later than what comes back in `heard`.
            lead: Up to `LEAD_SAMPLES`.

        Returns:
            Whether somebody other than the echo is to be heard, shape (samples,).
        """
        waiting = self._sound.shape[1] - (_WINDOW - _HOP)  # samples of a hop that is not whole yet
        sound = np.concatenate([self._sound, np.stack([heard, played])], axis=1)
        whole = (sound.shape[1] - (_WINDOW - _HOP)) // _HOP
        self._sound = sound[:, whole * _HOP :]
        judged = []
        if whole:
            windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW, axis=1)[:, ::_HOP]
            energies = np.square(np.abs(np.fft.rfft(windows * _TAPER))) @ _BANDS
            judged = [self._hop(a, b, lead // _HOP) for a, b in zip(*energies, strict=True)]
        of_hops = np.array([*judged, self._open > 0])
        return of_hops[(waiting + np.arange(len(heard))) // _HOP]

    def _hop(self, heard: NDArray[np.float64], played: NDArray[np.float64], lead: int) -> bool:
        played_db = self._played_db(played, lead)
        heard_db = 10 * np.log10(heard + 1e-3)
        change_db = heard_db - self._floor_db
        self._floor_db += np.where(change_db < 0, _FLOOR_FALLS * change_db, _FLOOR_RISES_DB)
        echo_db = (played_db + self._gains_db + _MARGINS_DB).max(axis=0)
        explained_db = np.maximum(echo_db, self._floor_db + _NOISE_DB)
        excess_db = float(np.clip(heard_db - explained_db, 0, _MOST_DB).mean())
        self._learn(heard_db, played_db)
        self._excess_db = _MEMORY * self._excess_db + (1 - _MEMORY) * excess_db
        if self._excess_db > (_STAYS_DB if self._open else _OPENS_DB):
            self._open = _OPEN_HOPS
        else:
            self._open = max(0, self._open - 1)
        return self._open > 0

    def _played_db(self, played: NDArray[np.float64], lead: int) -> NDArray[np.float64]:
        """The loudest that was played in either reach, with its ringing: shape (2, 13)."""
        self._ringing = _RINGS * self._ringing + played
        self._lately[:-1] = self._lately[1:]
        self._lately[-1] = self._ringing
        place = _KEPT_HOPS - 1 - lead
        reaches = zip(place - _BEHIND, place + _BEFORE + 1, strict=True)
        loudest = [self._lately[max(0, first) : last].max(axis=0) for first, last in reaches]
        return 10 * np.log10(np.stack(loudest) + 1e-3)

    def _learn(self, heard_db: NDArray[np.float64], played_db: NDArray[np.float64]) -> None:
        """Move each gain up by 0.8 of a step where it is too low, else down by 0.2."""
        plays, sounds = played_db[0] > _PLAYS_DB, heard_db > self._floor_db + _OVER_FLOOR_DB
        teaches = plays & sounds
        ratios_db = heard_db - played_db
        is_first = teaches & (self._taught == 0)
        self._gains_db = np.where(is_first, ratios_db + _FIRST_OVER_DB, self._gains_db)
        self._taught += teaches
        step_db = teaches * np.maximum(_STEP_DB, _FIRST_STEPS_DB / np.maximum(self._taught, 1))
        if self._open:
            step_db[self._taught > _NEW_HOPS] *= _SHARE_OPEN
        is_louder = ratios_db > self._gains_db
        self._gains_db += step_db * np.where(is_louder, _LOUD_SHARE, _LOUD_SHARE - 1)
