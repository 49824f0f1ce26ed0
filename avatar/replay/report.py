"""What a replay found, as a table and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from pydantic import JsonValue

from avatar.recording.reading import RecordedCall
from avatar.replay.compare import Comparison, Finding

_HEADS = ("", "RECORDED", "NOW", "VERDICT")


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """One call, then and now.

    Attributes:
        first: The recording.
        now: Its replay.
        comparison: What they differ in.
        notes: What to know when reading it, a line each.
    """

    first: RecordedCall
    now: RecordedCall
    comparison: Comparison
    notes: Sequence[str]

    def as_table(self) -> str:
        """For a person. No word of what was said is in it."""
        lines = [f"{self.first.folder.name}: {self.first.length_s:.1f} s", *self.notes, ""]
        places = [f"{f.name}, {f.where}" for f in self.comparison.findings if f.where]
        if places:
            places = ["", "Where it began, in the recording's time:", *places]
        return "\n".join([*lines, table(self.comparison.findings), *places, "", self._sentence()])

    def as_json(self) -> str:
        """One JSON object. No word of what was said is in it."""
        return json.dumps(
            {
                "call": self.first.header.call_id,
                "seconds": round(self.first.length_s, 3),
                "holds": self.comparison.holds,
                "findings": [asdict(finding) for finding in self.comparison.findings],
                "notes": list(self.notes),
            },
            indent=1,
        )

    def _sentence(self) -> str:
        if self.comparison.holds:
            return "It holds: nothing is worse, and nothing changed."
        return "It does not hold: see what is worse or changed."


def table(findings: Sequence[Finding]) -> str:
    """Findings as aligned columns."""
    rows = [_HEADS, *((f.name, f.first, f.now, f.verdict) for f in findings)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3]]
        ).rstrip()
        for row in rows
    )


def changed_settings(
    first: Mapping[str, JsonValue], now: Mapping[str, JsonValue], prefix: str = ""
) -> list[str]:
    """A line for each setting that is another now."""
    lines = []
    for name in sorted({*first, *now}):
        was, is_now = first.get(name), now.get(name)
        if isinstance(was, dict) and isinstance(is_now, dict):
            lines += changed_settings(was, is_now, f"{prefix}{name}.")
        elif was != is_now:
            lines.append(f"setting {prefix}{name}: was {json.dumps(was)}, is {json.dumps(is_now)}")
    return lines
