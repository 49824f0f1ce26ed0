"""What the benchmark of turn-taking found, as a table and as JSON."""

import json
from collections.abc import Mapping, Sequence
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
        rows: The ways beside each other, on the half that nothing was tuned on.
        groups: The defaults on that half, by language, kind and length of pause.
        late: The defaults on that half, with words that come sooner and later.
    """

    rows: Sequence[Row]
    groups: Mapping[str, Score]
    late: Mapping[str, Score]

    def as_json(self, machine: Mapping[str, object]) -> str:
        """One JSON object on one line."""
        return json.dumps({**asdict(self), "machine": machine})

    def as_table(self, machine: Mapping[str, object]) -> str:
        """The same for people."""
        lines = [
            f"held-out speakers; goal: at most {100 * MOST_CUT_OFF:.0f} % cut off",
            f"{'':<44}{'cut off':>9}{'paused':>8}{'p50 ms':>8}{'p95 ms':>8}{'ended':>7}",
        ]
        for row in self.rows:
            lines.append(_line(row.name, row.score))
            if row.settings:
                lines.append("    " + ", ".join(f"{k} {v:g}" for k, v in row.settings.items()))
        for name, scores in (("the default, of", self.groups), ("words late by", self.late)):
            lines += ["", name, *(_line(f"  {key}", score) for key, score in scores.items())]
        return "\n".join([*lines, "", ", ".join(f"{k} {v}" for k, v in machine.items())])


def _line(name: str, s: Score) -> str:
    return (
        f"{name:<44}{100 * s.cut_off:>7.1f} %{s.paused:>8}"
        f"{s.p50_ms:>8.0f}{s.p95_ms:>8.0f}{s.finished:>7}"
    )
