"""What a call's pictures cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaCost:
    """CPU time, in seconds, and frames that it was spent on."""

    draw_s: float = 0.0
    drawn: int = 0
    encode_s: float = 0.0
    encoded: int = 0

    def __add__(self, other: "MediaCost") -> "MediaCost":
        return MediaCost(
            self.draw_s + other.draw_s,
            self.drawn + other.drawn,
            self.encode_s + other.encode_s,
            self.encoded + other.encoded,
        )

    def per_frame_ms(self) -> dict[str, float]:
        """Mean CPU milliseconds per frame, for metrics."""
        return {
            "face_ms_per_frame_cpu": round(1000 * self.draw_s / max(1, self.drawn), 2),
            "encode_ms_per_frame_cpu": round(1000 * self.encode_s / max(1, self.encoded), 2),
        }
