"""When somebody starts to speak, pauses, goes on, and has finished: pure logic, no I/O.

Events of one utterance come in this order:

    Started (Paused Resumed)* [Paused] (Ended | Withdrawn)

`Paused` always precedes `Ended`, except when the utterance has grown too long. `Withdrawn` is the
end of what was too short to be speech (a click, a cough) and of nothing that has paused.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from speech.endings import Ending, ending_of
from speech.patience import Patience
from speech.silences import Known, Silences
from speech.stages import LISTENING_RATE_HZ
from speech.types import Language

_WINDOW: Final = 512  # samples at 16 kHz that one probability is about

UNHEARD_SAMPLES: Final = LISTENING_RATE_HZ * 3 // 20
"""Speech that holds no word more: 150 ms. Of words recognised up to so long before a pause, 20 of
22 were those recognised at the pause; up to 150 to 300 ms before it, 7 of 17."""

_PUNCTUATION: Final = " ,;:.?!-\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Started:
    """Somebody speaks.

    Attributes:
        start_sample: Where to cut: a little before the first sound, never inside the last
            utterance.
    """

    start_sample: int


@dataclass(frozen=True, slots=True)
class Paused:
    """They stopped: time to ask the turn detector and to recognise on the guess that it is over.

    Attributes:
        end_sample: One past the last sample of speech.
    """

    end_sample: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """They went on: what was worked out since `Paused` is void."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """It was too short to be speech.

    Attributes:
        at_sample: One past the last sample heard.
    """

    at_sample: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over.

    Attributes:
        end_sample: One past the last sample of speech.
    """

    end_sample: int


EndpointEvent = Started | Paused | Resumed | Withdrawn | Ended


@dataclass(slots=True)
class _Utterance:
    start: int
    begin: int  # of its first window of speech
    end: int  # of the speech in it so far
    voiced: int  # samples of it that are speech
    paused: bool = False
    known: Known = field(default_factory=Known)
    worded: int = 0  # one past the last sample that `known.ending` is about


class Endpointer:
    """Turns a microphone's speech probabilities into utterances.

    The silence that ends an utterance depends on what is known of it: `Silences` has the table. Who
    was taken for finished too soon is waited for longer from then on (`Patience`).

    Args:
        language: Of `hint`; may be changed during the call.
        quick_silence_ms: Ends an utterance that sounds finished and is, by its words.
        end_silence_ms: Ends an utterance that sounds finished.
        patient_silence_ms: Ends one that does not, or of which nothing is known yet.
        dictation_silence_ms: Ends one that says a number or an address piece by piece, or that
            lacks something by its words and does not sound finished.
        unlikely: Up to this probability it does not sound finished.
        likely: From this one on it does; between, the silence waited for is between, too.
        weighs_words: Whether `words_close` will be told of every pause.
        learns: Whether who was taken for finished too soon is waited for longer.
        both_unlikely: As `unlikely`, of sound and words together.
        both_likely: As `likely`, likewise.
        start_ms: Speech that lasts this long starts an utterance, or resumes one.
        pause_ms: Silence that is reported as a pause.
        least_speech_ms: With less speech than this, it was a click or a cough.
        pre_roll_ms: Cut this much before the first window of speech: the detector may miss up to
            250 ms of a soft beginning.
        longest_s: An utterance is ended at this length, come what may.
        threshold: Probability from which a window is speech.
        release: Probability under which a window after speech is silence.
    """

    def __init__(
        self,
        *,
        language: Language = "en",
        quick_silence_ms: int = 200,
        end_silence_ms: int = 280,
        patient_silence_ms: int = 1100,
        dictation_silence_ms: int = 1500,
        unlikely: float = 0.6,
        likely: float = 0.97,
        weighs_words: bool = False,
        learns: bool = True,
        both_unlikely: float = 0.3,
        both_likely: float = 0.35,
        start_ms: int = 64,
        pause_ms: int = 96,
        least_speech_ms: int = 120,
        pre_roll_ms: int = 300,
        longest_s: int = 30,
        threshold: float = 0.5,
        release: float = 0.35,
    ) -> None:
        self.language: Language = language
        self._silences_ms = (
            quick_silence_ms,
            end_silence_ms,
            patient_silence_ms,
            dictation_silence_ms,
        )
        self._judging = (unlikely, likely), (both_unlikely, both_likely), weighs_words
        self._defaults = (threshold, release, pre_roll_ms)
        self._silences = self._of_ms(*self._silences_ms)
        self._learns, self._tuned = learns, False
        self._patience = Patience()
        self._start = _samples(start_ms)
        self._pause = _samples(pause_ms)
        self._least_speech = _samples(least_speech_ms)
        self._pre_roll = _samples(pre_roll_ms)
        self._longest = longest_s * LISTENING_RATE_HZ
        self._threshold = threshold
        self._release = release
        self._at = 0  # one past the last sample heard
        self._floor = 0  # no utterance starts before this
        self._run: int | None = None  # where the present run of speech windows began
        self._utterance: _Utterance | None = None

    @property
    def voiced(self) -> bool:
        """True if the last window was speech."""
        return self._run is not None

    @property
    def voiced_samples(self) -> int:
        """Samples of speech in the present utterance so far."""
        return 0 if self._utterance is None else self._utterance.voiced

    @property
    def pause(self) -> int | None:
        """One past the last sample of speech before the present pause; None while there is none."""
        utterance = self._utterance
        return utterance.end if utterance is not None and utterance.paused else None

    def step(self, probability: float, at_sample: int) -> EndpointEvent | None:
        """Take in the next window.

        Args:
            probability: That the window is speech.
            at_sample: One past the window's last sample, at 16 kHz.

        Raises:
            ValueError: `at_sample` is not beyond the last one.
        """
        if at_sample <= self._at:
            raise ValueError(f"sample {at_sample} comes after {self._at}")
        begin, self._at = max(self._at, at_sample - _WINDOW), at_sample
        if not probability >= (self._release if self.voiced else self._threshold):
            self._run = None
        elif self._run is None:
            self._run = begin
        if self._utterance is None:
            return self._wait()
        return self._follow(self._utterance, at_sample - begin)

    def tune(
        self,
        *,
        end_silence_ms: int | None = None,
        patient_silence_ms: int | None = None,
        threshold: float | None = None,
        pre_roll_ms: int | None = None,
    ) -> None:
        """Change how utterances are found. What is not given is as it was in the beginning.

        A silence for both kinds of utterance that are the same is that of every utterance. Nobody
        is waited for longer than a silence that was given, nor is anything learnt from it.
        """
        quick_ms, end_ms, patient_ms, dictation_ms = self._silences_ms
        if end_silence_ms is not None and end_silence_ms == patient_silence_ms:
            quick_ms = dictation_ms = end_silence_ms
        self._tuned = end_silence_ms is not None or patient_silence_ms is not None
        self._silences = self._of_ms(
            quick_ms,
            end_ms if end_silence_ms is None else end_silence_ms,
            patient_ms if patient_silence_ms is None else patient_silence_ms,
            dictation_ms,
        )
        self._threshold, self._release, default_ms = self._defaults
        if threshold is not None:
            self._threshold, self._release = threshold, max(0.0, threshold - 0.15)
        self._pre_roll = _samples(default_ms if pre_roll_ms is None else pre_roll_ms)

    def _of_ms(self, quick_ms: int, end_ms: int, patient_ms: int, dictation_ms: int) -> Silences:
        end = _samples(end_ms)
        patient = max(_samples(patient_ms), end)
        dictation = max(_samples(dictation_ms), patient)
        return Silences(min(_samples(quick_ms), end), end, patient, dictation, *self._judging)

    def turn_probability(self, finished: float) -> None:
        """Take the turn detector's verdict on the present pause.

        Args:
            finished: Probability that the turn is over. Ignored if nobody is pausing.
        """
        if self._utterance is not None and self._utterance.paused:
            self._utterance.known.likely = finished

    def words_close(self, probability: float | None) -> None:
        """Take the verdict on the words of the present pause.

        Args:
            probability: That a sentence ends with them; None if that will not be known. Ignored if
                nobody is pausing.
        """
        if self._utterance is not None and self._utterance.paused:
            self._utterance.known.closes = probability
            self._utterance.known.unjudged = probability is None

    def hint(self, text: str, up_to: int | None = None) -> None:
        """Take the words of the utterance so far, whenever they come.

        Those of before a pause say how it ends only if no more was said until the pause, and
        without the punctuation at their end: that is what recognisers make of a sentence which is
        cut off. What is dictated is dictated in any case.

        Args:
            text: The words.
            up_to: One past the last sample that they were recognised from; the last one heard if
                it is not given.
        """
        utterance = self._utterance
        if utterance is not None:
            whole = utterance.paused and (up_to is None or up_to >= utterance.end)
            heard = text if whole else text.rstrip(_PUNCTUATION)
            utterance.known.ending = ending_of(heard, self.language)
            utterance.worded = self._at if up_to is None else up_to

    def stands(self) -> None:
        """Take note that the last utterance was the whole turn, however soon the next one comes."""
        self._patience.stands()

    def was_noise(self, start_sample: int) -> None:
        """Take note that an utterance had no words, or none that wanted the floor.

        Args:
            start_sample: That it `Started` with.
        """
        self._patience.unhear(start_sample)

    def reset(self) -> None:
        """Forget the utterance under way, without an event."""
        if self._utterance is not None and self._utterance.voiced >= self._least_speech:
            self._patience.unhear(self._utterance.start)
        self._utterance = self._run = None
        self._patience.forget()
        self._floor = self._at

    def _wait(self) -> Started | None:
        if self._run is None or self._at - self._run < self._start:
            return None
        start = max(self._run - self._pre_roll, self._floor)
        self._utterance = _Utterance(start, self._run, end=self._at, voiced=self._at - self._run)
        return Started(start)

    def _follow(self, utterance: _Utterance, heard: int) -> EndpointEvent | None:
        if self._at - utterance.start >= self._longest:
            return self._close(Ended(self._at), self._at)
        if self._run is not None:
            return self._speak(utterance, heard)
        silence = self._at - utterance.end
        if utterance.voiced < self._least_speech:
            if silence >= self._silences.end:
                return self._close(Withdrawn(self._at), utterance.end)
        elif not utterance.paused:
            if silence >= self._pause:
                utterance.paused = True
                return Paused(utterance.end)
        elif silence >= self._silences.to_end(known := _known(utterance), self._more_patience):
            if not self._tuned:
                expected = self._silences.to_end(known, 0.0) < self._silences.patient
                self._patience.took(utterance.start, utterance.end, expected=expected)
            return self._close(Ended(utterance.end), utterance.end)
        return None

    def _speak(self, utterance: _Utterance, heard: int) -> Resumed | None:
        if not utterance.paused:
            was_speech = utterance.voiced >= self._least_speech
            utterance.voiced += heard
            utterance.end = self._at
            if utterance.voiced >= self._least_speech and not was_speech:
                self._patience.heard(utterance.start, utterance.begin)
        elif self._run is not None and self._at - self._run >= self._start:
            utterance.voiced += self._at - self._run
            utterance.end = self._at
            utterance.paused, utterance.known = False, Known()
            return Resumed()
        return None

    @property
    def _more_patience(self) -> float:
        return self._patience.share if self._learns and not self._tuned else 0.0

    def _close(self, event: Ended | Withdrawn, floor: int) -> Ended | Withdrawn:
        self._utterance = None
        self._floor = floor
        if floor == self._at:  # cut in mid-speech: the rest is a new utterance from here
            self._run = None
        return event


def _samples(ms: int) -> int:
    return ms * LISTENING_RATE_HZ // 1000


def _known(utterance: _Utterance) -> Known:
    """What is known of it: without the words, if it has gone on since then and does not dictate."""
    known = utterance.known
    is_stale = utterance.worded < utterance.end - UNHEARD_SAMPLES
    if is_stale and known.ending is not Ending.DICTATED:
        return replace(known, ending=Ending.OPEN)
    return known
