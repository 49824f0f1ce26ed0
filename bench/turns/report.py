"""What the benchmark of turn-taking found, as a table and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.turns.sweep import MOST_CUT_OFF, Score, Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One way to end turns, on one set of talks.

    Attributes:
        name: Of the way.
        settings: That differ from the defaults.
        score: How it did.
    """

    name: str
    settings: Settings
    score: Score


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is printed.

    Attributes:
        rows: The default and all that the tuning half could not better, on the other half.
        groups: The defaults on that half, by language, kind and length of pause.
        late: The defaults on that half, with words and sound that come sooner and later.
        calls: The defaults in calls of all speakers, without and with learning.
    """

    rows: Sequence[Row]
    groups: Mapping[str, Score]
    late: Mapping[str, Score]
    calls: Mapping[str, Score]

    def as_json(self, machine: Mapping[str, object]) -> str:
        """One JSON object on one line."""
        return json.dumps({**asdict(self), "machine": machine})

    def as_table(self, machine: Mapping[str, object]) -> str:
        """The same for people."""
        lines = [
            f"held-out speakers; goal: at most {100 * MOST_CUT_OFF:.0f} % cut off",
            f"{'':<44}{'cut off':>9}{'touched':>9}{'taken':>9}{'paused':>8}"
            f"{'mean':>8}{'p50':>8}{'p95':>8}{'sound ms':>9}{'ended':>7}",
        ]
        default, *others = self.rows
        lines.append(_line(default.name, default.score))
        for name in dict.fromkeys(row.name for row in others):
            tried = [row for row in others if row.name == name]
            for how, row in _beside(default.score, tried):
                lines.append(_line(f"{name}, {how}", row.score))
                lines.append("    " + ", ".join(f"{k} {v:g}" for k, v in row.settings.items()))
        tables = {
            "the default, of": self.groups,
            "and, after a pause is noticed": self.late,
            "and in calls, all speakers": self.calls,
        }
        for name, scores in tables.items():
            lines += ["", name, *(_line(f"  {key}", score) for key, score in scores.items())]
        return "\n".join([*lines, "", ", ".join(f"{k} {v}" for k, v in machine.items())])


def _beside(default: Score, tried: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    """The quickest that cuts off no more than the default, the politest that is no slower."""
    polite = [row for row in tried if row.score.cut_off <= default.cut_off]
    quick = [row for row in tried if row.score.mean_ms <= default.mean_ms]
    if polite:
        yield "as polite", min(polite, key=lambda row: row.score.mean_ms)
    if quick:
        yield "as quick", min(quick, key=lambda row: row.score.cut_off)


def _line(name: str, s: Score) -> str:
    shares = "".join(f"{100 * share:>7.1f} %" for share in (s.cut_off, s.touched, s.taken))
    waits = (s.mean_ms, s.p50_ms, s.p95_ms, s.sound_p50_ms) if s.finished else ()
    cells = "".join(f"{wait:>8.0f}" for wait in waits) or f"{'-':>8}" * 4
    return f"{name:<44}{shares}{s.paused:>8}{cells} {s.finished:>7}"
