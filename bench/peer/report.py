"""What a comparison with a peer found: each side's medians, and ours as a share of the peer's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from avatar.client.measure import summary
from bench.report import Report

METRICS = (
    "voice_to_voice_ms",
    "unfinished_voice_to_voice_ms",
    "final_transcript_ms",
    "barge_in_silence_ms",
)
COUNTS = (
    "turns",
    "turns_lost",
    "turns_talked_over",
    "turns_with_opener",
    "barge_ins",
    "barge_ins_missed",
)
GOALS = {"voice_to_voice_ms": "<= 0.6"}
PEER = "pipecat"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measurements of every side; `PEER` is one of them.

    Attributes:
        sides: By name.
        facts: What the numbers depend on; goes into the report as it is.
    """

    sides: Mapping[str, Report]
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no side was called yet."""
        return not any(report.counts["turns"] for report in self.sides.values())

    @property
    def complete(self) -> bool:
        """Whether every side answered something."""
        return all(
            report.counts["turns"] > report.counts["turns_lost"] for report in self.sides.values()
        )

    def ratios(self) -> dict[str, dict[str, float | None]]:
        """By our side and metric: our median over the peer's. None if either is missing."""
        medians = {
            name: {metric: summary(report.values[metric])["p50"] for metric in METRICS}
            for name, report in self.sides.items()
        }
        peer = medians.pop(PEER)
        return {
            name: {metric: _ratio(ours[metric], peer[metric]) for metric in METRICS}
            for name, ours in medians.items()
        }

    def as_json(self) -> str:
        """One JSON object on one line."""
        sides = {name: _side(report) for name, report in self.sides.items()}
        return json.dumps({"sides": sides, "ratios": self.ratios(), **self.facts})

    def as_table(self) -> str:
        """The same for people."""
        lines = [*self._medians(), *self._talked_over()]
        for name, report in self.sides.items():
            counts = ", ".join(f"{count} {report.counts[count]}" for count in COUNTS)
            lines.append(f"{name}: {counts}, word errors {_rounded(_word_errors(report))} %")
        for name, fact in self.facts.items():
            lines.append(f"{name}:")
            parts = fact.items() if isinstance(fact, Mapping) else [("", fact)]
            lines += [f"  {part} {value}" for part, value in parts]
        return "\n".join(lines)

    def _medians(self) -> Iterator[str]:
        ratios = self.ratios()
        yield f"{'':<30}{'':<14}{'p50':>8}{'p95':>8}{'n':>5}  of {PEER}'s  goal"
        for metric in METRICS:
            for name, report in self.sides.items():
                row = summary(report.values[metric])
                cells = "".join(f"{_rounded(row[key]):>8}" for key in ("p50", "p95"))
                share = ratios.get(name, {}).get(metric)
                end = f"{share:>12.2f}  {GOALS.get(metric, '')}" if share is not None else ""
                yield f"{metric:<30}{name:<14}{cells}{row['n']:>5}{end}".rstrip()

    def _talked_over(self) -> Iterator[str]:
        """What a median must be read with: such a turn has no latency, however eager the side."""
        for name, report in self.sides.items():
            percent, turns = f"{_rounded(_talked_over_percent(report))} %", report.counts["turns"]
            yield f"{'began before the person ended':<30}{name:<14}{percent:>8}{'':>8}{turns:>5}"


def _side(report: Report) -> dict[str, object]:
    metrics = {metric: summary(report.values[metric]) for metric in METRICS}
    counts = {count: report.counts[count] for count in COUNTS}
    return {
        **metrics,
        **counts,
        "turns_talked_over_percent": _talked_over_percent(report),
        "word_errors_percent": _word_errors(report),
    }


def _talked_over_percent(report: Report) -> float | None:
    turns = report.counts["turns"]
    return round(100 * report.counts["turns_talked_over"] / turns, 1) if turns else None


def _word_errors(report: Report) -> float | None:
    return round(100 * report.word_errors / report.words, 1) if report.words else None


def _ratio(ours: float | None, peers: float | None) -> float | None:
    return round(ours / peers, 3) if ours is not None and peers else None


def _rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
