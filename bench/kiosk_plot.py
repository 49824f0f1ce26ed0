"""Draws what a kiosk held over time: three panels under one another, one SVG."""

from collections.abc import Sequence
from typing import Protocol

WIDTH, PANEL, LEFT, RIGHT, TOP = 860, 170, 62, 150, 34
_COLOURS = ("#0e6a5c", "#b8322a", "#1257c0")


class Held(Protocol):
    """What is drawn of a moment."""

    @property
    def at_s(self) -> float: ...  # noqa: D102
    @property
    def service_mb(self) -> float: ...  # noqa: D102
    @property
    def browser_mb(self) -> float: ...  # noqa: D102
    @property
    def service_files(self) -> int: ...  # noqa: D102
    @property
    def browser_files(self) -> int: ...  # noqa: D102


Series = tuple[str, Sequence[tuple[float, float]]]


def plot(samples: Sequence[Held], latencies: Sequence[tuple[float, float]]) -> str:
    """The SVG.

    Args:
        samples: In order.
        latencies: When, in s, and ms to the first sound of the answers, each visit's mean.
    """
    end_s = max(1.0, samples[-1].at_s)
    memory: list[Series] = [
        ("service", [(s.at_s, s.service_mb) for s in samples]),
        ("browser", [(s.at_s, s.browser_mb) for s in samples]),
    ]
    files: list[Series] = [
        ("service", [(s.at_s, float(s.service_files)) for s in samples]),
        ("browser", [(s.at_s, float(s.browser_files)) for s in samples]),
    ]
    panels = [
        _panel(0, "Memory, MB", memory, end_s),
        _panel(1, "Open descriptors", files, end_s),
        _panel(2, "First sound of an answer after the last word, ms", [("visit", latencies)], end_s,
               dots=True),
    ]  # fmt: skip
    height = 3 * (PANEL + TOP) + 44
    style = (
        "text{font:13px system-ui,sans-serif;fill:#221e1a}.soft{fill:#574f46;font-size:12px}"
        ".rail{stroke:#d9d1c5}path{fill:none;stroke-width:1.6}"
    )
    minutes = f'<text class="soft" x="{LEFT}" y="{height - 12}">0</text>' + (
        f'<text class="soft" x="{WIDTH - RIGHT}" y="{height - 12}" text-anchor="end">'
        f"{end_s / 60:.0f} minutes</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>A kiosk over {end_s / 60:.0f} minutes</title><style>{style}</style>"
        f'<rect width="{WIDTH}" height="{height}" fill="#fffdfa"/>'
        f"{''.join(panels)}{minutes}</svg>\n"
    )


def _panel(
    number: int, title: str, series: Sequence[Series], end_s: float, *, dots: bool = False
) -> str:
    top = number * (PANEL + TOP) + TOP
    most = max((value for _, points in series for _, value in points), default=1.0) * 1.1 or 1.0

    def place(at_s: float, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * at_s / end_s
        return round(x, 1), round(top + PANEL * (1 - value / most), 1)

    parts = [f'<text x="{LEFT}" y="{top - 10}">{title}</text>']
    for share in (0, 0.5, 1):
        y = top + PANEL * (1 - share)
        label = f"{most * share:.0f}"
        parts.append(f'<path class="rail" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="soft" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>'
        )
    for colour, (name, points) in zip(_COLOURS, series, strict=False):
        if not points:
            continue
        placed = [place(*point) for point in points]
        if dots:
            parts += [f'<circle cx="{x}" cy="{y}" r="2.6" fill="{colour}"/>' for x, y in placed]
        else:
            line = "L".join(f"{x} {y}" for x, y in placed)
            parts.append(f'<path stroke="{colour}" d="M{line}"/>')
        x, y = placed[-1]
        words = f"{name} {points[-1][1]:.0f}"
        parts.append(f'<text x="{x + 8}" y="{y + 4}" style="fill:{colour}">{words}</text>')
    return "".join(parts)
