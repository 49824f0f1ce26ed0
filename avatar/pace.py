"""How the next answers are given, so that no row of the latency budget is late.

Pure: no clock, no tasks. Everything is decided by what most of the last answers took, which one
slow answer does not move, with a margin between doing a thing and undoing it, so that nothing
swings.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from avatar.events import ReplyTimed
from avatar.latency import LIMIT_MS, TARGET_MS, Action, Row, Timeline
from avatar.recent import Recent
from speech.text.clauses import FIRST_WORDS
from speech.types import Language

FEWEST_FIRST_WORDS = 4
"""The first clause ends between two words not before so many, or where it may, after 7."""

ENOUGH = 3
"""Answers that it takes to know anything, and between two changes of the same thing."""

ROOM = 0.85
"""The first clause may be long again if that is heard within this part of what it may take."""

MOST, FEW = 0.5, 0.125
"""Shares of the last answers: in more than the one a long first clause is late, so it is shortened;
in no more than the other, so it may be long again."""

ALARM, EASE = 0.95, 0.7
"""Parts of the last row's limit: beyond the one, the machine is relieved before anything is late;
within the other, it may carry more again."""

UP_AFTER = 6
"""So many easy answers on end take one relief back; twice as many each time that was too early."""

UP_AFTER_LIMIT = 48
TOO_EARLY = 8
"""A relief that is needed again within so many answers was taken back too early."""

_OPENER_LEAD_MS = 40  # an opener is heard two packets after it is decided on
_PATIENCE_S = 0.25  # a drafted answer needs a moment from the end of the turn to its first sound
_OVERDUE_S = 0.25  # one that is later than foreseen by so much is not about to come any more


@dataclass(slots=True)
class _FirstClause:
    """How long the first clauses of one call's answers in one language are."""

    recent: Recent
    words: int = FIRST_WORDS
    _since: int = ENOUGH

    def choose(self) -> None:
        """Make it shorter where that has answers heard sooner; as long as usual where not."""
        self._since += 1
        if len(self.recent) < ENOUGH or self._since < ENOUGH:
            return
        if self.words == FIRST_WORDS:
            is_wrong = self.recent.share_late(FIRST_WORDS) > MOST
        else:
            is_wrong = self.recent.share_late(FIRST_WORDS, ROOM) <= FEW
        if is_wrong:
            self.words = FIRST_WORDS + FEWEST_FIRST_WORDS - self.words
            self._since = 0

    def sound_s(self, timeline: Timeline) -> float:
        """Loop time at which an answer is foreseen to be heard, from how far it has come."""
        if (clause_s := timeline.at_s.get("first_clause")) is not None:
            return clause_s + self.recent.clause_to_sound_ms() / 1000
        to_sound_s = self.recent.token_to_sound_ms(self.words) / 1000
        token_s = timeline.zero_s + self.recent.token_ms() / 1000
        return timeline.at_s.get("llm_first_token", token_s) + to_sound_s


class Pace:
    """The pace of one call's answers.

    - The first clause is as long as the target and the end of the turn allow, by what a word in
      its language has taken lately.
    - While the last row comes near its limit, the machine is relieved step by step, and loaded
      again step by step once that has been easy for long.
    - An opener is spoken where an answer will be late, never in two answers on end.

    An answer that something else kept waiting (`ReplyTimed.excused`) changes neither of the first
    two.

    Args:
        recent: What answers took, by language, of this call or of all.
        reliefs: What relieves the machine, the mildest first.
        applies: Whether a relief that is in force makes a difference just now.
        has_opened: Whether the last answer of the call that this one goes on with had an opener.

    Attributes:
        relief: How many of the reliefs are in force.
        has_opened: Whether the last answer that was heard had an opener.
    """

    def __init__(
        self,
        recent: Mapping[Language, Recent] | None = None,
        reliefs: tuple[Action, ...] = ("smaller_face",),
        applies: Callable[[Action], bool] = lambda _: True,
        *,
        has_opened: bool = False,
    ) -> None:
        self.relief = 0
        self.has_opened = has_opened
        self._recent = defaultdict(Recent) if recent is None else recent
        self._clauses: dict[Language, _FirstClause] = {}
        self._reliefs = reliefs
        self._applies = applies
        self._loads: deque[int] = deque(maxlen=4)  # since the last change of relief
        self._easy = 0
        self._up_after = UP_AFTER
        self._since_up: int | None = None

    def first_words(self, language: Language) -> int:
        """Length of the next first clause, if that is in this language."""
        return self._clause(language).words

    def actions(self, language: Language) -> tuple[Action, ...]:
        """What is done in the next answer because a row would be late, likewise."""
        shorter: tuple[Action, ...] = ("short_first_clause",)
        reliefs = tuple(relief for relief in self._reliefs[: self.relief] if self._applies(relief))
        return (shorter if self.first_words(language) < FIRST_WORDS else ()) + reliefs

    def has_in_force(self, relief: Action) -> bool:
        """Whether the machine is to be relieved by this."""
        return relief in self._reliefs[: self.relief]

    def observe(self, timed: ReplyTimed) -> None:
        """Take note of an answer that the model wrote."""
        if timed.opener_ms is not None or "first_sound" in timed.rows_ms:
            self.has_opened = timed.opener_ms is not None
        if timed.excused:
            return
        self._recent[timed.language].observe(timed)
        self._clause(timed.language).choose()
        if (load := _load_ms(timed)) is not None:
            self._choose_relief(load)

    def opener_wait_s(
        self,
        language: Language,
        timeline: Timeline,
        began_s: float,
        now_s: float,
        lasts_s: float,
    ) -> float | None:
        """Whether an opener is to be spoken before an answer that has not been heard yet.

        Args:
            language: Of the answer.
            timeline: Of the answer.
            began_s: Loop time from which it may speak.
            now_s: Loop time.
            lasts_s: How long the opener is heard, with the pause behind it.

        Returns:
            0 for now, None for not any more, else seconds after which to ask again.
        """
        if self.has_opened or "tts_first_audio" in timeline.at_s:
            return None
        clause = self._clause(language)
        sound_ms = clause.recent.sound_ms(clause.words)
        is_foreseen = len(clause.recent) >= ENOUGH and sound_ms > LIMIT_MS["first_sound"]
        due = TARGET_MS["first_sound"] if is_foreseen else LIMIT_MS["first_sound"]
        due_s = max(timeline.zero_s + (due - _OPENER_LEAD_MS) / 1000, began_s + _PATIENCE_S)
        if now_s < due_s:
            return due_s - now_s
        to_come_s = clause.sound_s(timeline) - now_s
        is_awaited = -_OVERDUE_S < to_come_s < lasts_s  # an opener would only delay it
        return to_come_s + _OVERDUE_S if is_awaited else 0.0

    def _clause(self, language: Language) -> _FirstClause:
        if language not in self._clauses:
            self._clauses[language] = _FirstClause(self._recent[language])
        return self._clauses[language]

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


def _load_ms(timed: ReplyTimed) -> int | None:
    """When the last row came, less what no load of the machine put off; None if it did not.

    That is the person's own pause, and an opener that the answer waited for.
    """
    rows = timed.rows_ms
    last: Row = "first_face_frame" if "first_face_frame" in rows else "first_sound"
    if last not in rows:
        return None
    ended = rows.get("turn_ended", 0)
    behind_opener = 0
    if timed.opener_ms is not None and "tts_first_audio" in rows and "first_sound" in rows:
        behind_opener = max(0, rows["first_sound"] - max(rows["tts_first_audio"], ended))
    return rows[last] - max(0, ended - TARGET_MS["turn_ended"]) - behind_opener
