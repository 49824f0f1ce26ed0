"""What became of a call: turns, answers, and who cut whom off; read from its events alone."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from avatar.recording.format import Entry
from avatar.recording.reading import RecordedCall
from speech.stages import LISTENING_RATE_HZ

WENT_ON_S = 1.5
"""Someone who speaks again so soon after a turn was taken for over had not finished it."""

_NOTICED_S = 0.3  # an answer that begins with the person's going on is stopped within this
# Who speaks so soon after an answer's first sound can't mean to interrupt it. People take 0.5 s or
# more to hear that somebody speaks and to say something; the listener starts turns 0.2 s early.
_REACTION_S = 0.3


@dataclass(slots=True)
class Turn:
    """One turn of the person's, as the avatar understood it.

    Attributes:
        start_s: First speech sample, in seconds of the microphone's stream.
        end_s: One past the last; None while it goes on.
        words: Final; empty for noise.
        lost: Whether it could not be recognised.
        is_backchannel: Whether it was taken for a listener's "mm-hm", which wants no answer.
    """

    start_s: float
    end_s: float | None = None
    words: str = ""
    lost: bool = False
    is_backchannel: bool = False


@dataclass(slots=True)
class Answer:
    """One answer of the avatar's.

    Attributes:
        began_s: When it was begun, in seconds of the microphone's stream.
        sounded_s: When its first sound left, in the same; None if none did.
        status: How it ended; None if the call ended first.
        by_client: Whether a cancelled one was stopped by a button, not by speech.
        heard: What was heard of it.
        rows_ms: Its latency; empty if something but the machine kept it waiting.
    """

    began_s: float
    sounded_s: float | None = None
    status: str | None = None
    by_client: bool = False
    heard: str = ""
    rows_ms: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call.

    Attributes:
        turns: With words, in order.
        noises: Turns that turned out to have none.
        backchannels: A listener's "mm-hm" and the like, over an answer.
        answers: In order.
        others: How often anything else happened, by event.
    """

    turns: tuple[Turn, ...]
    noises: tuple[Turn, ...]
    backchannels: tuple[Turn, ...]
    answers: tuple[Answer, ...]
    others: Mapping[str, int]

    @property
    def words(self) -> str:
        """All that the person said, but for what they said as a listener."""
        return " ".join(turn.words for turn in self.turns)

    @property
    def interrupted(self) -> list[Answer]:
        """Answers that the person cut off by speaking."""
        return [
            answer
            for answer in self.answers
            if answer.sounded_s is not None
            and answer.status == "cancelled"
            and not answer.by_client
        ]

    @property
    def talked_over(self) -> list[Answer]:
        """Answers that began to sound while the person was speaking."""
        return [
            answer
            for answer in self.answers
            if answer.sounded_s is not None
            and any(turn.start_s < answer.sounded_s < _end(turn) for turn in self.turns)
        ]

    @property
    def cut_short(self) -> list[Turn]:
        """Turns over whose rest the avatar spoke: the person had only paused."""
        return [
            turn
            for turn, following in zip(self.turns, self.turns[1:], strict=False)
            if _went_on(turn, following)
            and any(
                answer.sounded_s is not None
                and _end(turn) <= answer.began_s < following.start_s
                and -_REACTION_S < answer.sounded_s - following.start_s < _NOTICED_S
                for answer in self.answers
            )
        ]

    @property
    def unanswered(self) -> list[Turn]:
        """Turns after which the person waited, and heard nothing."""
        following: list[Turn | None] = [*self.turns[1:], None]
        return [
            turn
            for turn, next_turn in zip(self.turns, following, strict=False)
            if not (next_turn and _went_on(turn, next_turn))
            and not any(
                answer.sounded_s is not None
                and turn.start_s < answer.sounded_s
                and (next_turn is None or answer.began_s < next_turn.start_s)
                for answer in self.answers
            )
        ]

    def ended(self, status: str) -> list[Answer]:
        """The answers that ended so."""
        return [answer for answer in self.answers if answer.status == status]

    def rows_ms(self) -> dict[str, list[int]]:
        """Latency of all answers, by row."""
        rows: dict[str, list[int]] = {}
        for answer in self.answers:
            for row, value in answer.rows_ms.items():
                rows.setdefault(row, []).append(value)
        return rows

    def medians_ms(self) -> dict[str, float]:
        """Median latency by row."""
        return {row: statistics.median(values) for row, values in self.rows_ms().items()}


def _end(turn: Turn) -> float:
    return float("inf") if turn.end_s is None else turn.end_s


def _went_on(turn: Turn, following: Turn) -> bool:
    return following.start_s - _end(turn) < WENT_ON_S


_KNOWN = {
    *("UserStarted", "UserStopped", "UserSaid", "UserNotUnderstood", "ReplyStarted"),
    *("ReplyHeard", "ReplyEnded", "ReplyTimed", "StateChanged", "UserInterim", "UserTyped"),
}


def outcome_of(call: RecordedCall) -> Outcome:
    """Read a recorded call.

    Only the conversation's own events count, by name: what it learns to tell later counts among
    `Outcome.others` without a change here.
    """
    told = [entry for entry in call.entries if entry.source == "conversation"]
    turns = _turns(told)
    understood = [turn for turn in turns if turn.words or turn.lost]
    return Outcome(
        turns=tuple(turn for turn in understood if not turn.is_backchannel),
        noises=tuple(turn for turn in turns if turn.end_s is not None and turn not in understood),
        backchannels=tuple(turn for turn in understood if turn.is_backchannel),
        answers=_answers(told),
        others=Counter(entry.type for entry in told if entry.type not in _KNOWN),
    )


def _turns(told: Iterable[Entry]) -> list[Turn]:
    turns: dict[str, Turn] = {}
    for entry in told:
        body, item = entry.body, str(entry.body.get("item_id"))
        if entry.type == "UserStarted":
            turns[item] = Turn(float(body["at_ms"]) / 1000)
        elif item not in turns:
            continue
        elif entry.type == "UserStopped":
            turns[item].end_s = float(body["at_ms"]) / 1000
        elif entry.type == "UserSaid":
            turns[item].words = str(body["text"])
            turns[item].is_backchannel = bool(body.get("is_backchannel"))
        elif entry.type == "UserNotUnderstood":
            turns[item].lost = True
    return list(turns.values())


def _answers(told: Iterable[Entry]) -> tuple[Answer, ...]:
    answers: dict[str, Answer] = {}
    for entry in told:
        body, response = entry.body, str(entry.body.get("response_id"))
        at_s = entry.mic_sample / LISTENING_RATE_HZ
        if entry.type == "ReplyStarted":
            answers[response] = Answer(at_s)
        elif response not in answers:
            continue
        elif entry.type in ("ReplyHeard", "OpenerHeard"):
            if answers[response].sounded_s is None:
                answers[response].sounded_s = at_s
        elif entry.type == "ReplyTimed" and not body.get("excused"):
            answers[response].rows_ms = {row: int(ms) for row, ms in body["rows_ms"].items()}
        elif entry.type == "ReplyEnded":
            answers[response].status = str(body["status"])
            answers[response].by_client = bool(body["by_client"])
            answers[response].heard = str(body["heard"])
    return tuple(answers.values())
