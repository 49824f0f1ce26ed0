"""What the doctor says: one finding per thing looked at, and the way to mend it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["good", "warning", "failed", "skipped"]

_MARKS: dict[Status, str] = {"good": "ok", "warning": "look", "failed": "FAIL", "skipped": "-"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What, in a word or two; stable, for programs.
        status: `warning`: calls work, but may disappoint. `skipped`: it could not be looked at.
        says: What was found, for a person.
        fix: One sentence that says what to do; empty where nothing needs to be.
    """

    name: str
    status: Status
    says: str
    fix: str = ""

    def __post_init__(self) -> None:
        if self.status == "failed" and not self.fix:
            raise ValueError(f"{self.name} failed, and nobody is told what to do")


def good(name: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(name, "good", says)


def warning(name: str, says: str, fix: str) -> Finding:
    """Calls work, but may disappoint."""
    return Finding(name, "warning", says, fix)


def failed(name: str, says: str, fix: str) -> Finding:
    """Some calls or all can't work."""
    return Finding(name, "failed", says, fix)


def skipped(name: str, says: str) -> Finding:
    """It could not be looked at, or there is nothing to look at."""
    return Finding(name, "skipped", says)


def table(findings: Iterable[Finding]) -> str:
    """The findings as text, a line each, and what to do below a finding that asks for it."""
    rows = list(findings)
    width = max((len(row.name) for row in rows), default=0)
    lines = []
    for row in rows:
        lines.append(f"{_MARKS[row.status]:>4}  {row.name:<{width}}  {row.says}")
        if row.fix:
            lines.append(f"{'':>4}  {'':<{width}}  -> {row.fix}")
    return "\n".join(lines)


def as_json(findings: Iterable[Finding]) -> dict[str, object]:
    """The same for programs; `healthy`: nothing failed."""
    rows = list(findings)
    return {
        "healthy": all(row.status != "failed" for row in rows),
        "findings": [asdict(row) for row in rows],
    }
