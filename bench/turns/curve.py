"""The trade-off as a picture: how many are cut off, against how long the others wait."""

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _MARGIN = 720, 420, 64
_MOST_MS, _MOST_CUT = 1400.0, 1.0
_COLOURS = ("#8a8f98", "#c77d0a", "#1769aa", "#2e7d32")

Point = tuple[float, float]
"""Mean delay in ms, and the share of people cut off."""


def as_svg(lines: Mapping[str, Sequence[Point]], chosen: Point, title: str) -> str:
    """Draw one line for each policy, and the chosen point.

    Args:
        lines: By the policy's name.
        chosen: The settings that are the default.
        title: Above it all.
    """
    shapes = [*_axes()]
    for points, colour in zip(lines.values(), _COLOURS, strict=False):
        places = [_place(point) for point in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        shapes += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    for row, (name, colour) in enumerate(zip(lines, _COLOURS, strict=False)):
        x, y = float(_WIDTH - 230), float(_MARGIN + 18 * row)
        shapes.append(f'<rect x="{x}" y="{y - 9}" width="18" height="4" fill="{colour}"/>')
        shapes.append(f'<text x="{x + 26}" y="{y - 2}">{escape(name)}</text>')
    x, y = _place(chosen)
    shapes.append(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="none" stroke="#b3261e" stroke-width="2.5"/>'
        f'<text x="{x + 12:.1f}" y="{y - 8:.1f}" fill="#b3261e">the default</text>'
    )
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="13" fill="#333">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n'
        f'<text x="{_MARGIN}" y="28" font-size="16">{escape(title)}</text>\n{body}\n</svg>\n'
    )


def _place(point: Point) -> Point:
    delay_ms, cut_off = min(point[0], _MOST_MS), min(point[1], _MOST_CUT)
    return (
        _MARGIN + delay_ms / _MOST_MS * (_WIDTH - 2 * _MARGIN),
        _HEIGHT - _MARGIN - cut_off / _MOST_CUT * (_HEIGHT - 2 * _MARGIN),
    )


def _axes() -> list[str]:
    left, bottom = _place((0, 0))
    right, top = _place((_MOST_MS, _MOST_CUT))
    shapes = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#333"/>']
    for ms in range(0, round(_MOST_MS) + 1, 200):
        x, _ = _place((ms, 0))
        shapes.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{ms}</text>')
    for percent in range(0, round(100 * _MOST_CUT) + 1, 20):
        _, y = _place((0, percent / 100))
        shapes.append(f'<path d="M{left} {y:.0f}H{right}" stroke="#e3e5e8"/>')
        shapes.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{percent} %</text>')
    shapes.append(
        f'<text x="{(left + right) / 2}" y="{_HEIGHT - 16}" text-anchor="middle">'
        "mean wait after the last speech of those who had finished, ms</text>"
    )
    return shapes
