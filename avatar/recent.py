"""What the last answers took to make, and what the next one is foreseen to take.

Pure: no clock, no tasks. Foreseen are medians, which one slow answer does not move.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from avatar.events import ReplyTimed
from avatar.latency import ROWS, TARGET_MS
from speech.text.clauses import FIRST_WORDS

REMEMBERED = 8

_OUT_MS = TARGET_MS["first_sound"] - TARGET_MS["tts_first_audio"]


@dataclass(frozen=True, slots=True)
class _Made:
    """What one answer took, in ms."""

    ended: int
    token: int
    word: float
    voice: int
    out: int

    def clause_ms(self, words: int) -> float:
        """When a first clause of so many words would have been heard, had the turn been over."""
        return self.token + words * self.word + self.voice + self.out

    @property
    def turn_ms(self) -> int:
        """When something that was ready would have been heard."""
        return self.ended + self.out


@dataclass(slots=True)
class Recent:
    """What the last answers in one language took. Calls may share one: they share the machine."""

    _made: deque[_Made] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def __len__(self) -> int:
        return len(self._made)

    def observe(self, timed: ReplyTimed) -> None:
        """Take note of an answer to something said, if it was heard."""
        rows = timed.rows_ms
        if all(row in rows for row in ROWS[:-1]) and timed.first_words:
            writing = rows["first_clause"] - rows["llm_first_token"]
            audible = max(rows["tts_first_audio"], rows["turn_ended"])
            out = rows["first_sound"] - audible
            if timed.opener_ms is not None:  # the answer waited until that had been said
                out = round(self._median(lambda made: made.out, _OUT_MS))
            self._made.append(
                _Made(
                    rows["turn_ended"],
                    rows["llm_first_token"],
                    writing / timed.first_words,
                    rows["tts_first_audio"] - rows["first_clause"],
                    out,
                )
            )

    def share_late(self, words: int, room: float = 1.0) -> float:
        """The share of answers that a first clause of so many words would have made late.

        The end of the turn comes when it comes, and nothing is heard before. So the clause is late
        if it would have been heard after both that and the target.

        Args:
            words: Its length.
            room: The part of that time that it may take.
        """
        target = TARGET_MS["first_sound"]
        late = (made.clause_ms(words) > room * max(target, made.turn_ms) for made in self._made)
        return sum(late) / len(self._made) if self._made else 0.0

    def sound_ms(self, first_words: int) -> float:
        """When the next answer is foreseen to be heard, ms after the last speech sample.

        Args:
            first_words: Length of its first clause.
        """
        turn = self._median(lambda made: made.turn_ms, TARGET_MS["turn_ended"])
        return max(self.token_ms() + self.token_to_sound_ms(first_words), turn)

    def token_ms(self) -> float:
        """When the model is foreseen to have begun."""
        return self._median(lambda made: made.token, TARGET_MS["llm_first_token"])

    def token_to_sound_ms(self, first_words: int) -> float:
        """From the model's first token to the first sound."""
        usual = (TARGET_MS["first_clause"] - TARGET_MS["llm_first_token"]) / FIRST_WORDS
        word = self._median(lambda made: made.word, usual)
        return first_words * word + self.clause_to_sound_ms()

    def clause_to_sound_ms(self) -> float:
        """From the first clause to its first sound, if the turn is over by then."""
        usual = TARGET_MS["first_sound"] - TARGET_MS["first_clause"]
        return self._median(lambda made: made.voice + made.out, usual)

    def _median(self, of: Callable[[_Made], float], usual: float) -> float:
        return median(map(of, self._made)) if self._made else usual
