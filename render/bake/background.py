"""What is behind a person on a call: a room far out of focus.

Rooms are painted in linear light at a small size, bright lamps and windows far above white, then
convolved with the disc of an open aperture: so highlights turn into discs of their own colour, and
everything else melts.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

WIDTH, HEIGHT = 480, 270
_MARGIN = 60
"""Pixels painted beyond the frame, so that what lies outside blurs in."""


def background_picture(character: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    """The picture behind a character, RGB uint8 (270, 480, 3)."""
    background = character["background"]
    rooms = {"office": _office, "evening": _evening, "bright": _bright}
    if background["style"] not in rooms:
        raise ValueError(f"background {background['style']!r} is none of {sorted(rooms)}")
    rng = np.random.default_rng(zlib.crc32(str(character.get("name", "")).encode()))
    room, aperture, tint = rooms[background["style"]](rng)
    for colour in background.get("colours", ()):
        room = room * (0.5 + 1.5 * np.array(_linear(colour)))
    blurred = _defocused(room * np.array(tint), aperture)
    inner = blurred[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] * _vignette()
    grain = rng.normal(0.0, 0.5 / 255, (HEIGHT, WIDTH, 1))
    encoded = np.clip(_encoded(inner) + grain, 0.0, 1.0)
    return np.asarray(np.round(encoded * 255), np.uint8)


class _Canvas:
    """Linear light on a plane with y up, one unit being the frame's height; (0, 0) its middle."""

    def __init__(self, wall: Colour) -> None:
        self.light = np.ones((HEIGHT + 2 * _MARGIN, WIDTH + 2 * _MARGIN, 3)) * np.array(wall)

    def _spots(self, corners: list[tuple[float, float]]) -> npt.NDArray[np.int32]:
        x, y = np.array(corners).T
        spots = np.stack([x * HEIGHT + WIDTH / 2 + _MARGIN, HEIGHT / 2 - y * HEIGHT + _MARGIN], 1)
        return np.round(spots).astype(np.int32)

    def shape(self, corners: list[tuple[float, float]], colour: Colour) -> None:
        """A filled polygon."""
        cv2.fillPoly(self.light, [self._spots(corners)], colour)

    def box(self, left: float, bottom: float, right: float, top: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.shape([(left, bottom), (right, bottom), (right, top), (left, top)], colour)

    def spot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled disc."""
        (at,) = self._spots([(x, y)])
        cv2.circle(self.light, (int(at[0]), int(at[1])), max(1, round(radius * HEIGHT)), colour, -1)

    def glow(self, x: float, y: float, reach: float, colour: Colour) -> None:
        """Light that a lamp at (x, y) throws on everything around it."""
        rows, columns = np.mgrid[: self.light.shape[0], : self.light.shape[1]]
        (at,) = self._spots([(x, y)])
        far = np.hypot(columns - at[0], rows - at[1]) / (reach * HEIGHT)
        self.light *= 1.0 + np.exp(-far * 1.6)[..., None] * np.array(colour)


def _shelf(
    canvas: _Canvas, rng: np.random.Generator, box: tuple[float, float, float, float], shelves: int,
    wood: Colour, hues: list[Colour],
) -> None:  # fmt: skip
    """A case of books and things."""
    left, bottom, right, top = box
    canvas.box(left, bottom, right, top, tuple(0.35 * c for c in wood))  # type: ignore[arg-type]
    step = (top - bottom) / shelves
    for k in range(shelves):
        low, x = bottom + k * step, left + 0.015
        while x < right - 0.03:
            wide = rng.uniform(0.014, 0.034)
            if rng.random() < 0.16:
                x += rng.uniform(0.03, 0.09)
                continue
            hue = np.array(hues[rng.integers(len(hues))]) * rng.uniform(0.6, 1.3)
            canvas.box(
                x,
                low,
                min(x + wide, right - 0.015),
                low + step * rng.uniform(0.55, 0.82),
                tuple(hue),
            )
            x += wide
        canvas.box(left, low - 0.012, right, low + 0.004, wood)
    for x in (left, right):
        canvas.box(x - 0.010, bottom, x + 0.010, top, wood)


def _plant(
    canvas: _Canvas, rng: np.random.Generator, x: float, y: float, size: float, green: Colour
) -> None:
    """A leafy plant in a pot."""
    canvas.box(x - 0.22 * size, y - 0.5 * size, x + 0.22 * size, y, (0.34, 0.27, 0.21))
    for _ in range(46):
        angle, far = rng.uniform(0.15, np.pi - 0.15), rng.uniform(0.3, 1.0) * size
        tip = np.array([x + np.cos(angle) * far * 0.8, y + np.sin(angle) * far])
        side = np.array([-np.sin(angle), np.cos(angle)]) * 0.13 * size
        base = np.array([x, y]) + 0.45 * (tip - [x, y])
        shade = tuple(np.array(green) * rng.uniform(0.35, 1.5))
        leaf = [
            tuple(base),
            tuple((base + tip) / 2 + side),
            tuple(tip),
            tuple((base + tip) / 2 - side),
        ]
        canvas.shape(leaf, shade)


def _office(rng: np.random.Generator) -> tuple[Floats, float, Colour]:
    """Late afternoon in a warm office; the window is where the key light comes from."""
    canvas = _Canvas((0.30, 0.245, 0.19))
    canvas.box(-2.0, -0.9, 2.0, -0.30, (0.15, 0.105, 0.075))
    canvas.box(-1.02, -0.22, -0.52, 0.75, (1.05, 1.0, 0.88))
    for x in (-1.02, -0.77, -0.52):
        canvas.box(x - 0.012, -0.24, x + 0.012, 0.75, (0.22, 0.18, 0.14))
    canvas.box(-1.02, 0.20, -0.52, 0.222, (0.22, 0.18, 0.14))
    canvas.box(-1.02, -0.22, -0.52, -0.02, (0.42, 0.46, 0.32))
    for k in range(9):
        x = -0.52 + 0.022 * k
        shade = 0.50 + 0.13 * np.sin(k * 2.1)
        canvas.box(x, -0.32, x + 0.022, 0.8, (shade, shade * 0.92, shade * 0.78))
    hues = [
        (0.30, 0.10, 0.06),
        (0.10, 0.16, 0.20),
        (0.42, 0.36, 0.27),
        (0.24, 0.17, 0.08),
        (0.07, 0.11, 0.09),
    ]
    _shelf(
        canvas, rng, (0.40, -0.30, 1.05, 0.62), 4, (0.19, 0.115, 0.065), [*hues, (0.45, 0.23, 0.10)]
    )
    canvas.glow(0.31, 0.02, 0.55, (1.1, 0.75, 0.40))
    canvas.shape([(0.24, -0.04), (0.38, -0.04), (0.345, 0.12), (0.275, 0.12)], (3.0, 2.1, 1.15))
    canvas.box(0.304, -0.30, 0.316, -0.04, (0.12, 0.09, 0.06))
    _plant(canvas, rng, -0.40, -0.16, 0.27, (0.10, 0.16, 0.06))
    canvas.glow(-0.8, 0.25, 0.9, (0.9, 0.8, 0.62))
    return canvas.light, 12.5, (0.92, 0.90, 0.86)


def _evening(rng: np.random.Generator) -> tuple[Floats, float, Colour]:
    """A high room at dusk: a city's lights through tall windows, cool; one warm lamp far off."""
    canvas = _Canvas((0.040, 0.056, 0.085))
    canvas.box(-1.2, -0.18, 1.2, 0.75, (0.060, 0.095, 0.165))
    for k in range(24):
        y = -0.18 + 0.02 * k
        glow = np.array([0.20, 0.15, 0.16]) * np.exp(-k / 5.0)
        canvas.box(
            -1.2,
            y,
            1.2,
            y + 0.02,
            tuple(np.array([0.052, 0.090, 0.165]) * (1.0 + 0.012 * k) + glow),
        )
    for _ in range(26):
        x, wide, tall = rng.uniform(-1.15, 1.1), rng.uniform(0.05, 0.14), rng.uniform(0.05, 0.52)
        canvas.box(
            x,
            -0.18,
            x + wide,
            -0.18 + tall,
            tuple(np.array([0.020, 0.030, 0.052]) * rng.uniform(0.7, 1.7)),
        )
        for _ in range(int(70 * wide * tall / 0.03)):
            warm = rng.random() < 0.7
            hue = np.array([1.0, 0.66, 0.33] if warm else [0.55, 0.8, 1.0]) * rng.lognormal(
                0.2, 0.9
            )
            place = (x + rng.uniform(0.005, wide), -0.18 + rng.uniform(0.0, tall))
            canvas.spot(*place, 0.0035, tuple(hue * 1.2))
    for x in (-0.86, -0.43, 0.02, 0.47, 0.90):
        canvas.box(x - 0.016, -0.2, x + 0.016, 0.8, (0.016, 0.020, 0.028))
    canvas.box(-1.3, -0.9, 1.3, -0.18, (0.030, 0.036, 0.050))
    canvas.box(-1.3, -0.19, 1.3, -0.165, (0.050, 0.055, 0.066))
    canvas.box(-1.3, -0.30, -0.35, -0.18, (0.036, 0.040, 0.052))
    canvas.glow(0.72, -0.02, 0.42, (2.2, 1.2, 0.45))
    canvas.shape([(0.665, -0.05), (0.775, -0.05), (0.748, 0.06), (0.692, 0.06)], (2.2, 1.30, 0.55))
    canvas.box(0.716, -0.3, 0.724, -0.05, (0.05, 0.04, 0.03))
    return canvas.light, 11.0, (1.05, 1.05, 1.05)


def _bright(rng: np.random.Generator) -> tuple[Floats, float, Colour]:
    """A light living room by day; the window is where the key light comes from."""
    canvas = _Canvas((0.56, 0.545, 0.515))
    canvas.box(-1.3, -0.32, -0.50, 0.8, (1.35, 1.37, 1.36))
    canvas.box(-1.3, -0.32, -0.50, 0.05, (0.95, 1.06, 0.86))
    for x in (-0.92, -0.50):
        canvas.box(x - 0.016, -0.34, x + 0.016, 0.8, (0.70, 0.69, 0.67))
    for k in range(10):
        x = -0.49 + 0.024 * k
        shade = 0.80 + 0.12 * np.sin(k * 1.9)
        canvas.box(x, -0.45, x + 0.024, 0.8, (shade, shade * 0.985, shade * 0.955))
    canvas.box(0.34, 0.10, 0.66, 0.44, (0.30, 0.27, 0.24))
    canvas.box(0.355, 0.115, 0.645, 0.425, (0.66, 0.65, 0.62))
    canvas.shape([(0.40, 0.16), (0.58, 0.16), (0.60, 0.30), (0.48, 0.36)], (0.40, 0.36, 0.42))
    canvas.shape([(0.45, 0.22), (0.62, 0.20), (0.60, 0.34)], (0.55, 0.40, 0.28))
    canvas.box(0.20, -0.60, 1.10, -0.24, (0.36, 0.255, 0.165))
    canvas.box(0.20, -0.255, 1.10, -0.232, (0.46, 0.34, 0.235))
    canvas.box(-1.3, -0.9, 1.3, -0.45, (0.40, 0.335, 0.265))
    _plant(canvas, rng, 0.86, -0.12, 0.34, (0.17, 0.25, 0.11))
    canvas.box(0.36, -0.235, 0.42, -0.10, (0.62, 0.42, 0.33))
    canvas.spot(0.52, -0.20, 0.034, (0.32, 0.40, 0.44))
    canvas.glow(-0.9, 0.25, 1.1, (0.45, 0.46, 0.46))
    return canvas.light, 12.5, (0.80, 0.80, 0.80)


def _defocused(light: Floats, radius_px: float) -> Floats:
    """`light` through a round aperture: a disc with a slightly brighter rim, soft at its edge."""
    size = int(np.ceil(radius_px)) + 2
    y, x = np.mgrid[-size : size + 1, -size : size + 1]
    far = np.hypot(x, y)
    disc = np.clip(radius_px + 0.5 - far, 0.0, 1.0) * (1.0 + 0.25 * (far / radius_px) ** 3)
    out = cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), 2.0))


def _vignette() -> Floats:
    """A lens's fall-off towards the corners."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    far = np.hypot((x - WIDTH / 2) / WIDTH, (y - HEIGHT / 2) / WIDTH)
    return np.asarray(1.0 - 0.55 * np.clip(far / 0.574, 0, 1) ** 2.2)[..., None]


def _encoded(light: Floats) -> Floats:
    """Linear light, highlights rolled off above 0.6, as sRGB (IEC 61966-2-1)."""
    over = np.clip(light - 0.6, 0.0, None)
    light = np.minimum(light, 0.6) + 0.4 * (1.0 - np.exp(-over / 0.8))
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _linear(hex_colour: str) -> Colour:
    """Linear RGB of an sRGB colour written as #rrggbb."""
    digits = hex_colour.lstrip("#")
    red, green, blue = (
        ((int(digits[i : i + 2], 16) / 255 + 0.055) / 1.055) ** 2.4 for i in (0, 2, 4)
    )
    return red, green, blue
