"""What was restarted and why, kept across restarts: one JSON object a line, the newest last."""

import json
import logging
from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from avatar.kiosk.watchdog import Restart

_log = logging.getLogger(__name__)

_KEPT = 200


@dataclass(frozen=True, slots=True)
class Report:
    """One restart; `at` is local time with its offset, ISO 8601."""

    at: str
    part: str
    why: str
    detail: str


class Reports:
    """The newest reports of one kiosk.

    Args:
        folder: Where they are kept; made when there is something to keep.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "reports.jsonl"
        self._all: deque[Report] = deque(maxlen=_KEPT)
        try:
            lines = self._file.read_text("utf-8").splitlines()
        except OSError:
            lines = []
        for line in lines[-_KEPT:]:
            try:
                self._all.append(Report(**json.loads(line)))
            except (ValueError, TypeError):  # torn by a power cut: the others are still good
                _log.warning("a report can't be read", extra={"file": str(self._file)})

    def add(self, restart: Restart, at: datetime) -> None:
        """Write one down; a full disk costs the file, not the kiosk."""
        report = Report(at.isoformat(timespec="seconds"), *_texts(restart))
        self._all.append(report)
        _log.warning("restart: %s, %s (%s)", restart.part, restart.why, restart.detail)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lines = [json.dumps(asdict(kept)) for kept in self._all]
            draft = self._file.with_suffix(".part")
            draft.write_text("\n".join(lines) + "\n", "utf-8")
            draft.replace(self._file)
        except OSError:
            _log.exception("a report can't be kept")

    def newest(self, count: int) -> list[dict[str, str]]:
        """The newest, newest first."""
        return [asdict(report) for report in list(self._all)[: -count - 1 : -1]]


def _texts(restart: Restart) -> tuple[str, str, str]:
    return restart.part, restart.why, restart.detail
