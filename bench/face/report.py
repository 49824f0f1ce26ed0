"""What the benchmark of the face found, as one JSON object and as a table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

GOALS: Mapping[str, str] = {
    "idle_ms_per_frame_512": "<= 2",
    "speaking_ms_per_frame_512": "<= 4",
    "speaking_ms_per_frame_720p": "<= 9",
    "start_s": "<= 3",
    "lip_lag_ms": "|x| <= 20",
    "bilabial_closed_ratio": ">= 0.95",
    "video_skew_ms": "|x| <= 20",
    "client_skew_ms": "|x| <= 20",
}
_SMALLEST_IS_WORST = ("lip_correlation", "bilabial")
Metrics = dict[str, float | None]


@dataclass(slots=True)
class FaceReport:
    """What was measured.

    Attributes:
        faces: Metrics by face.
        shared: Metrics that belong to no one face.
        written: Files made.
    """

    faces: dict[str, Metrics] = field(default_factory=dict)
    shared: Metrics = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def worst(self) -> Metrics:
        """Every metric of the faces, from the face that does worst; null beats all."""
        names = {name: None for metrics in self.faces.values() for name in metrics}
        return {name: self._worst(name) for name in names}

    def as_json(self, machine: Mapping[str, object]) -> str:
        """One object on one line: the worst face's metrics, then each face's."""
        return json.dumps(
            {
                **_rounded(self.worst()),
                **_rounded(self.shared),
                "faces": {name: _rounded(metrics) for name, metrics in self.faces.items()},
                "written": self.written,
                "machine": machine,
            }
        )

    def as_table(self, machine: Mapping[str, object]) -> str:
        """The same for people, a column per face."""
        names = list(self.worst())
        lines = [f"{'':<32}" + "".join(f"{face:>12}" for face in self.faces) + "  goal"]
        for name in names:
            cells = "".join(f"{_cell(m.get(name)):>12}" for m in self.faces.values())
            lines.append(f"{name:<32}{cells}  {GOALS.get(name, '')}".rstrip())
        for name, value in self.shared.items():
            lines.append(f"{name:<32}{_cell(value):>12}  {GOALS.get(name, '')}".rstrip())
        facts = ", ".join(f"{name} {value}" for name, value in machine.items())
        return "\n".join([*lines, *self.written, facts])

    def _worst(self, name: str) -> float | None:
        values = [metrics[name] for metrics in self.faces.values() if name in metrics]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        return min(known) if name.startswith(_SMALLEST_IS_WORST) else max(known, key=abs)


def _rounded(metrics: Metrics) -> Metrics:
    return {k: None if v is None else round(v, 4) for k, v in metrics.items()}


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
