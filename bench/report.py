"""What a benchmark of calls found, as a table and as JSON."""

import json
import os
import platform
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from avatar.client.measure import summary
from avatar.cores import usable_cores
from avatar.latency import TARGET_MS

METRICS = (
    "voice_to_voice_ms",
    "voice_to_face_ms",
    "words_stood_ms",
    "words_known_ms",
    "turn_ended_ms",
    "final_transcript_ms",
    "ttft_ms",
    "first_clause_ms",
    "tts_first_audio_ms",
    "unfinished_voice_to_voice_ms",
    "barge_in_silence_ms",
    "barge_in_mouth_closed_ms",
    "fps_received",
    "face_ms_per_frame_cpu",
    "encode_ms_per_frame_cpu",
    "av_skew_ms",
    "av_skew_arrival_ms",
    "rss_mb",
    "wer",
    "client_cpu_percent",
)
"""What is reported, in this order, whether or not any of it could be measured."""

SERVER_COUNTS = (
    "drafts_adopted",
    "drafts_dropped",
    "draft_tokens_dropped",
    "draft_clauses_dropped",
    "answer_tokens",
    "openers",
)
"""Of the server's `/v1/avatar/metrics`: what they grew by from the first call to the last."""

_LATENCIES = frozenset(METRICS[: METRICS.index("unfinished_voice_to_voice_ms")])

_TRANSCRIPT_GOAL = f"p50 <= {TARGET_MS['final_transcript']}"

GOALS = {
    "voice_to_face_ms": "p50 <= 500, p95 <= 900",
    "words_stood_ms": _TRANSCRIPT_GOAL,
    "words_known_ms": _TRANSCRIPT_GOAL,
    "final_transcript_ms": _TRANSCRIPT_GOAL,
    "fps_received": "p50 >= 23",
    "barge_in_silence_ms": "<= 150",
    "barge_in_mouth_closed_ms": "<= 200",
    "av_skew_ms": "|p50| <= 20",
    "wer": "pooled <= 0.05",
}

NOTES = {
    "words_stood_ms": "the words that were answered had been recognised, on the server",
    "words_known_ms": "the words that turned out to be final had been received",
    "final_transcript_ms": "the event that calls them final had; it follows turn_ended_ms, for "
    "words can't be final before the turn is over, and no answer waits for it",
}
"""What has one goal and may be meant by it."""


@dataclass(slots=True)
class Report:
    """Values by metric, one per turn or sample, and counts of what happened."""

    values: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    word_errors: int = 0
    words: int = 0

    def add(self, metrics: dict[str, float]) -> None:
        """Add one turn's or sample's metrics."""
        for name, value in metrics.items():
            self.values[name].append(value)

    def add_turn(self, metrics: dict[str, float], *, finished: bool) -> None:
        """Add one answered turn's metrics.

        Args:
            metrics: Of the turn.
            finished: Whether the person had finished; if not, the answer is right to be late, and
                its latency is reported by itself.
        """
        if not finished:
            late = metrics.get("voice_to_voice_ms")
            metrics = {name: metrics[name] for name in metrics.keys() - _LATENCIES}
            if late is not None:
                metrics["unfinished_voice_to_voice_ms"] = late
        self.add(metrics)

    def add_words(self, errors: int, words: int) -> None:
        """Add one utterance's word errors, of so many words said."""
        self.values["wer"].append(errors / words)
        self.word_errors += errors
        self.words += words

    def as_json(self, machine: dict[str, object]) -> str:
        """One JSON object on one line: a metric is {"p50", "p95", "n"}, null where n is 0."""
        return json.dumps({**self._summaries(), **self._counts(), "machine": machine})

    def as_table(self, machine: dict[str, object]) -> str:
        """The same for people."""
        lines = [f"{'':<26}{'p50':>10}{'p95':>10}{'n':>6}  goal"]
        for name, row in self._summaries().items():
            cells = "".join(f"{_number(row[key]):>10}" for key in ("p50", "p95"))
            goal = GOALS.get(name, "")
            if "pooled" in row:
                goal += f" (pooled {_number(row['pooled'])})"
            lines.append(f"{name:<26}{cells}{row['n']:>6}  {goal}".rstrip())
        counts = ", ".join(f"{name} {count}" for name, count in self._counts().items())
        facts = ", ".join(f"{name} {value}" for name, value in machine.items())
        notes = [f"{name}: {note}" for name, note in NOTES.items()]
        return "\n".join([*lines, *notes, counts, facts])

    def _summaries(self) -> dict[str, dict[str, float | int | None]]:
        rows = {name: summary(self.values[name]) for name in METRICS}
        rows["wer"]["pooled"] = round(self.word_errors / self.words, 4) if self.words else None
        return rows

    def _counts(self) -> dict[str, int]:
        names = ("turns", "turns_lost", "turns_talked_over", "barge_ins", "barge_ins_missed")
        return {name: self.counts[name] for name in (*names, *SERVER_COUNTS)}


def machine_facts() -> dict[str, object]:
    """What the numbers depend on: cores, load at the start, and the code."""
    return {
        "cores": usable_cores(),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "platform": platform.machine(),
        "commit": _commit(),
    }


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[1]
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def _number(value: float | int | None) -> str:
    return "-" if value is None else f"{value:.4g}" if abs(value) < 10 else f"{value:.0f}"
