"""Compares a call with the same call run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from avatar.latency import ROWS, TARGET_MS
from avatar.recording.reading import RecordedCall
from avatar.replay.outcome import Answer, Outcome, Turn, outcome_of
from avatar.replay.wer import edits, words
from speech.types import Language

Verdict = Literal["same", "better", "worse", "changed", "shown"]
"""`changed`: nobody can tell from here which is right. `shown`: not judged."""

_WER_LIMIT = 0.1
_SLOWER = (1.25, 50.0)  # times as long, and so many ms on top: what two runs of one code differ by


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the verdict.

    Attributes:
        name: What was compared.
        first: How it was in the recording, for a person; empty if it can't be known.
        now: How it is.
        verdict: What to think of it.
        where: Where those turns or answers began; empty where it is the same.
    """

    name: str
    first: str
    now: str
    verdict: Verdict
    where: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two runs of a call differ in.

    Attributes:
        findings: In the order in which to read them.
    """

    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is worse, and nothing changed that nobody asked to."""
        return not any(finding.verdict in ("worse", "changed") for finding in self.findings)


def compare(
    first: RecordedCall, now: RecordedCall, *, reference: str = "", timed: bool = True
) -> Comparison:
    """Compare a recorded call with its replay.

    Args:
        first: The recording.
        now: The replay.
        reference: What the person really said, if that is known.
        timed: Whether the two runs' times can be compared.
    """
    was, is_now = outcome_of(first), outcome_of(now)
    language = first.header.language
    return Comparison(
        (
            *_transcripts(was, is_now, reference, language),
            *(
                _counted(name, starts(was), starts(is_now), judge)
                for name, starts, judge in _COUNTS
            ),
            *_others(was, is_now),
            *(_latency(was, is_now, timed=timed)),
        )
    )


def error_rate(reference: str, hypothesis: str, language: Language) -> float:
    """Word error rate, where the reference may be empty: then every word is an error."""
    said = words(reference, language)
    heard = words(hypothesis, language)
    return edits(said, heard) / max(1, len(said))


def _transcripts(
    was: Outcome, now: Outcome, reference: str, language: Language
) -> Sequence[Finding]:
    changed = error_rate(was.words, now.words, language)
    verdict: Verdict = "same" if changed <= _WER_LIMIT else "changed"
    if not reference:
        return [Finding("words unlike the first run's", "", _percent(changed), verdict)]
    first = error_rate(reference, was.words, language)
    again = error_rate(reference, now.words, language)
    return [
        Finding("words unlike the first run's", "", _percent(changed), "shown"),
        Finding("word error rate", _percent(first), _percent(again), _fewer(first, again, 0.02)),
    ]


def _fewer(first: float, now: float, slack: float = 0.0) -> Verdict:
    """Fewer is better."""
    if now > first + slack:
        return "worse"
    return "better" if now < first - slack else "same"


def _alike(first: float, now: float) -> Verdict:
    return "same" if now == first else "changed"


_Starts = Callable[[Outcome], Sequence[float]]
_COUNTS: tuple[tuple[str, _Starts, Callable[[float, float], Verdict]], ...] = (
    ("turns with words", lambda it: _begun(it.turns), _alike),
    ("words taken for a listener's", lambda it: _begun(it.backchannels), _alike),
    ("noises taken for turns", lambda it: _begun(it.noises), _fewer),
    ("turns without an answer", lambda it: _begun(it.unanswered), _fewer),
    ("answers that failed", lambda it: _sounded(it.ended("failed")), _fewer),
    ("person cut off by the avatar", lambda it: _begun(it.cut_short), _fewer),
    ("avatar began over the person", lambda it: _sounded(it.talked_over), _fewer),
    ("avatar cut off by the person", lambda it: _sounded(it.interrupted), _alike),
)


def _begun(turns: Sequence[Turn]) -> list[float]:
    return [turn.start_s for turn in turns]


def _sounded(answers: Sequence[Answer]) -> list[float]:
    return [answer.began_s if answer.sounded_s is None else answer.sounded_s for answer in answers]


def _counted(
    name: str,
    first_s: Sequence[float],
    now_s: Sequence[float],
    judge: Callable[[float, float], Verdict],
) -> Finding:
    first, now = len(first_s), len(now_s)
    where = "" if first == now else f"recorded: {_places(first_s)}; now: {_places(now_s)}"
    return Finding(name, str(first), str(now), judge(first, now), where)


def _places(starts_s: Sequence[float]) -> str:
    return ", ".join(f"{start_s:.1f} s" for start_s in starts_s) or "nowhere"


def _others(was: Outcome, now: Outcome) -> Sequence[Finding]:
    names = sorted({*was.others, *now.others})
    return [
        Finding(name, str(was.others.get(name, 0)), str(now.others.get(name, 0)), "shown")
        for name in names
    ]


def _latency(was: Outcome, now: Outcome, *, timed: bool) -> Sequence[Finding]:
    first, again = was.medians_ms(), now.medians_ms()
    known = [*ROWS, *sorted({*first, *again} - set(ROWS))]
    findings = []
    for row in known:
        if row not in first and row not in again:
            continue
        target = f" (target {TARGET_MS[row]})" if row in TARGET_MS else ""
        verdict: Verdict = "shown"
        if timed and row in first and row in again:
            verdict = _slower(first[row], again[row])
        findings.append(
            Finding(f"{row} ms, median{target}", _ms(first.get(row)), _ms(again.get(row)), verdict)
        )
    return findings


def _slower(first_ms: float, now_ms: float) -> Verdict:
    factor, slack_ms = _SLOWER
    if now_ms > first_ms * factor + slack_ms:
        return "worse"
    return "better" if now_ms * factor + slack_ms < first_ms else "same"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
