"""How the next answers are given, so that no row of the latency budget is late.

Pure: no clock, no tasks. Everything is decided from medians over the last answers, which one slow
answer does not move, with a margin between doing a thing and undoing it, so that nothing swings.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from avatar.events import ReplyTimed
from avatar.latency import LIMIT_MS, ROWS, TARGET_MS, Action, Row, Timeline
from speech.text.clauses import FIRST_WORDS

FEWEST_FIRST_WORDS = 4
"""The first clause ends between two words not before so many, or where it may, after 7."""

REMEMBERED = 8
ENOUGH = 3
"""Answers that it takes to know anything, and between two changes of the same thing."""

ROOM = 0.85
"""A thing is undone when its row is foreseen within this part of what would have it done again."""

ALARM, EASE = 0.95, 0.7
"""Parts of the last row's limit: beyond the one, the machine is relieved before anything is late;
within the other, it may carry more again."""

UP_AFTER = 6
"""So many easy answers on end take one relief back; twice as many each time that was too early."""

UP_AFTER_LIMIT = 48
TOO_EARLY = 8
"""A relief that is needed again within so many answers was taken back too early."""

ABOUT_TO_COME_S = 0.4
"""An answer that is foreseen within this is waited for: an opener would only delay it."""

_OPENER_LEAD_MS = 40  # an opener is heard two packets after it is decided on
_PATIENCE_S = 0.25  # a drafted answer needs a moment from the end of the turn to its first sound
_OVERDUE_S = 0.25  # one that is later than foreseen by so much is not about to come any more


@dataclass(frozen=True, slots=True)
class _Made:
    """What one answer took, in ms."""

    ended: int
    token: int
    word: float
    voice: int
    out: int


@dataclass(slots=True)
class Recent:
    """What the last answers took to make. Calls may share one: they share the machine."""

    _made: deque[_Made] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def __len__(self) -> int:
        return len(self._made)

    def observe(self, timed: ReplyTimed) -> None:
        """Take note of an answer to something said, if it was heard."""
        rows = timed.rows_ms
        if all(row in rows for row in ROWS[:-1]) and timed.first_words:
            writing = rows["first_clause"] - rows["llm_first_token"]
            audible = max(rows["tts_first_audio"], rows["turn_ended"])
            self._made.append(
                _Made(
                    rows["turn_ended"],
                    rows["llm_first_token"],
                    writing / timed.first_words,
                    rows["tts_first_audio"] - rows["first_clause"],
                    rows["first_sound"] - audible,
                )
            )

    def sound_ms(self, first_words: int) -> float:
        """When the next answer is foreseen to be heard, ms after the last speech sample.

        Args:
            first_words: Length of its first clause.
        """
        token, to_sound = self.token_ms(), self.token_to_sound_ms(first_words)
        ended = self._median(lambda made: made.ended, TARGET_MS["turn_ended"])
        return max(token + to_sound, ended + self._median(lambda made: made.out, 0))

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


class Pace:
    """The pace of one call's answers.

    - The first clause is as long as the target allows, by what a word has taken lately.
    - While the last row comes near its limit, the machine is relieved step by step, and loaded
      again step by step once that has been easy for long.
    - An opener is spoken where an answer will be late, never in two answers on end.

    Args:
        recent: What answers took, of this call or of all.
        reliefs: What relieves the machine, the mildest first.
        applies: Whether a relief that is in force makes a difference just now.

    Attributes:
        first_words: Length of the next first clause.
        relief: How many of the reliefs are in force.
    """

    def __init__(
        self,
        recent: Recent | None = None,
        reliefs: tuple[Action, ...] = ("smaller_face",),
        applies: Callable[[Action], bool] = lambda _: True,
    ) -> None:
        self.recent = Recent() if recent is None else recent
        self.first_words = FIRST_WORDS
        self.relief = 0
        self._reliefs = reliefs
        self._applies = applies
        self._opened_last = False
        self._loads: deque[int] = deque(maxlen=4)  # since the last change of relief
        self._easy = 0
        self._up_after = UP_AFTER
        self._since_up: int | None = None
        self._since_words = ENOUGH

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is done in the next answer because a row would be late."""
        shorter: tuple[Action, ...] = ("short_first_clause",)
        reliefs = tuple(relief for relief in self._reliefs[: self.relief] if self._applies(relief))
        return (shorter if self.first_words < FIRST_WORDS else ()) + reliefs

    def has_in_force(self, relief: Action) -> bool:
        """Whether the machine is to be relieved by this."""
        return relief in self._reliefs[: self.relief]

    def observe(self, timed: ReplyTimed) -> None:
        """Take note of an answer that the model wrote."""
        self._opened_last = timed.opener_ms is not None
        self.recent.observe(timed)
        self._choose_words()
        if (load := _load_ms(timed.rows_ms)) is not None:
            self._choose_relief(load)

    def opener_wait_s(self, timeline: Timeline, began_s: float, now_s: float) -> float | None:
        """Whether an opener is to be spoken before an answer that has not been heard yet.

        Args:
            timeline: Of the answer.
            began_s: Loop time from which it may speak.
            now_s: Loop time.

        Returns:
            0 for now, None for not any more, else seconds after which to ask again.
        """
        if self._opened_last or "tts_first_audio" in timeline.at_s:
            return None
        is_foreseen = len(self.recent) >= ENOUGH and (
            self.recent.sound_ms(self.first_words) > LIMIT_MS["first_sound"]
        )
        due = TARGET_MS["first_sound"] if is_foreseen else LIMIT_MS["first_sound"]
        due_s = max(timeline.zero_s + (due - _OPENER_LEAD_MS) / 1000, began_s + _PATIENCE_S)
        if now_s < due_s:
            return due_s - now_s
        to_come_s = self._sound_s(timeline) - now_s
        return to_come_s + _OVERDUE_S if -_OVERDUE_S < to_come_s < ABOUT_TO_COME_S else 0.0

    def _sound_s(self, timeline: Timeline) -> float:
        """Loop time at which an answer is foreseen to be heard, from how far it has come."""
        if (clause_s := timeline.at_s.get("first_clause")) is not None:
            return clause_s + self.recent.clause_to_sound_ms() / 1000
        to_sound_s = self.recent.token_to_sound_ms(self.first_words) / 1000
        token_s = timeline.zero_s + self.recent.token_ms() / 1000
        return timeline.at_s.get("llm_first_token", token_s) + to_sound_s

    def _choose_words(self) -> None:
        self._since_words += 1
        if len(self.recent) < ENOUGH or self._since_words < ENOUGH:
            return
        target = TARGET_MS["first_sound"]
        if self.first_words == FIRST_WORDS:
            is_wrong = self.recent.sound_ms(FIRST_WORDS) > target
        else:
            is_wrong = self.recent.sound_ms(FIRST_WORDS) <= ROOM * target
        if is_wrong:
            self.first_words = FIRST_WORDS + FEWEST_FIRST_WORDS - self.first_words
            self._since_words = 0

    def _choose_relief(self, load_ms: int) -> None:
        limit = LIMIT_MS["first_face_frame"]
        if self._since_up is not None:
            self._since_up += 1
            if self._since_up > TOO_EARLY:
                self._since_up, self._up_after = None, UP_AFTER
        self._loads.append(load_ms)
        self._easy = self._easy + 1 if load_ms <= EASE * limit else 0
        is_alarming = len(self._loads) >= ENOUGH and median(self._loads) > ALARM * limit
        if is_alarming and self.relief < len(self._reliefs):
            self._step(+1)
        elif self._easy >= self._up_after and self.relief:
            self._step(-1)

    def _step(self, by: int) -> None:
        if by > 0 and self._since_up is not None:
            self._up_after = min(UP_AFTER_LIMIT, 2 * self._up_after)
        self._since_up = 0 if by < 0 else None
        self.relief += by
        self._loads.clear()
        self._easy = 0


def _load_ms(rows_ms: dict[str, int]) -> int | None:
    """When the last row came, less what the person's own pause put off; None if it did not."""
    last: Row = "first_face_frame" if "first_face_frame" in rows_ms else "first_sound"
    if last not in rows_ms:
        return None
    return rows_ms[last] - max(0, rows_ms.get("turn_ended", 0) - TARGET_MS["turn_ended"])
