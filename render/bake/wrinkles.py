"""Lines of age and of expression, as grooves in a height field.

Where the lines run and which movement deepens them: Hjortsjö (1969), Man's Face and Mimic Language.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from render.bake.face_map import FaceMap, Floats, smooth_noise

# How deep each family lies: in everyone, by age (lines = 1), and by each expression.
_DEPTH: dict[str, dict[str, float]] = {
    "forehead": {"lines": 1.1, "brows_up": 1.0},
    "glabella": {"lines": 0.45, "brows_down": 1.0},
    "crow": {"lines": 1.15, "smile": 0.55, "squint": 0.75},
    "lid_crease": {"rest": 0.8},
    "lower_lid": {"rest": 0.12, "lines": 1.0, "smile": 0.35, "squint": 0.6},
    "tear_trough": {"rest": 0.22, "lines": 0.75, "smile": 0.25, "squint": 0.3},
    "nasolabial": {"rest": 0.16, "lines": 1.1, "smile": 0.8, "frown": 0.15},
    "marionette": {"lines": 0.9, "frown": 0.7},
    "dimple": {"smile": 0.7, "lines": 0.15},
    "lip_radial": {"lines": 0.35, "pucker": 1.0},
    "mental": {"rest": 0.12, "lines": 0.4, "frown": 0.6, "pucker": 0.3},
    "neck": {"rest": 0.22, "lines": 0.9},
}
_CHIN_DIMPLES = {"lines": 0.12, "frown": 1.0, "pucker": 0.7}

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """One groove: its family, its course (x, z) in metres, half width and depth in millimetres."""

    family: str
    course: Points
    width_mm: float
    depth_mm: float


def amplitudes(lines: float, wrinkles: dict[str, float]) -> dict[str, float]:
    """How deep each family lies, 0..1.5, for an age in lines (0..1) and expressions (0..1)."""
    # Young skin folds softly, old skin sharply.
    folding = 0.55 + 0.6 * lines
    drivers = {"rest": 1.0, "lines": lines} | {k: folding * w for k, w in wrinkles.items()}
    return {
        family: min(1.5, sum(gain * drivers.get(name, 0.0) for name, gain in gains.items()))
        for family, gains in _DEPTH.items()
    }


def carve(
    face: FaceMap, lines: float, wrinkles: dict[str, float], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The height of the skin's lines, and how much of each texel lies inside one.

    Args:
        face: the resting face.
        lines: 0 a child's skin, 1 deep lines.
        wrinkles: brows_up, brows_down, squint, smile, pucker, frown -> 0..1.
        rng: gives every character lines of its own; the same for all of its plates.

    Returns:
        (height in metres, crease 0..1), both float32 (H, W).
    """
    x, z = face.grid()
    height = np.zeros((z.size, x.size), np.float32)
    crease = np.zeros_like(height)
    depth = amplitudes(lines, wrinkles)
    for line in all_lines(face, rng):
        if depth[line.family] > 0.01:
            _groove(face, height, crease, line, depth[line.family])
    dimples = sum(
        gain * {"lines": lines, **wrinkles}.get(n, 0.0) for n, gain in _CHIN_DIMPLES.items()
    )
    bumps = np.minimum(smooth_noise(height.shape, 0.0026 * face.texels_per_m, rng), 0.6)
    cx, cz = face.place("chin", 0, -1)
    mound = np.exp(-(((x - cx) / 0.013) ** 2) - ((z - cz) / 0.010) ** 2)
    return height + np.float32(dimples * 0.00018) * bumps * mound, np.clip(crease, 0, 1)


def all_lines(face: FaceMap, rng: np.random.Generator) -> list[Line]:
    """Every line a face can show, those at the sides twice, mirrored and a little different."""
    found = list(_middle(face, rng))
    for side in (1.0, -1.0):
        for line in _sided(face, rng):
            shaken = [
                (side * (px + 4e-4 * rng.standard_normal()), pz + 4e-4 * rng.standard_normal())
                for px, pz in line.course
            ]
            found.append(
                Line(line.family, shaken, line.width_mm, line.depth_mm * rng.uniform(0.8, 1.1))
            )
    return found


def _middle(face: FaceMap, rng: np.random.Generator) -> Iterator[Line]:
    """Lines that cross the middle: forehead, neck, the fold under the lower lip."""
    _, brow = face.place("eye", 0, 24)
    _, top = face.place("hairline", 0, -6)
    for i, share in enumerate(np.linspace(0.12, 0.88, 5)):
        half = (36, 42, 44, 38, 28)[i] * 1e-3 * face.scale * rng.uniform(0.9, 1.05)
        level = brow + share * (top - brow)
        wave = rng.normal(0, 0.0009, 7)
        course = [
            (half * u, level + 0.0024 * np.cos(3 * u) + w)
            for u, w in zip(np.linspace(-1, 1, 7), wave, strict=True)
        ]
        cut = rng.uniform(0.35, 0.65)
        if i % 2:
            yield Line("forehead", course[: 2 + int(cut * 4)], 0.75, 0.30)
            yield Line("forehead", course[1 + int(cut * 4) :], 0.75, 0.28)
        else:
            yield Line("forehead", course, 0.85, 0.36)
    for offset, half in ((-28, 40), (-52, 44), (-64, 30)):
        level = face.place("chin_bottom", 0, offset)[1]
        tilt = rng.normal(0, 0.002)
        yield Line(
            "neck",
            [
                (half * 1e-3 * u, level - 0.005 * (1 - u * u) + tilt * u + rng.normal(0, 4e-4))
                for u in np.linspace(-1, 1, 7)
            ],
            1.1,
            0.42,
        )
    _, under = face.place("lip_bottom", 0, -5.5)
    yield Line(
        "mental", [(0.013 * u, under - 0.0022 * u * u) for u in np.linspace(-1, 1, 5)], 2.2, 0.7
    )


def _sided(face: FaceMap, rng: np.random.Generator) -> Iterator[Line]:
    """Lines of the side at x > 0."""
    place = face.place
    yield Line(
        "glabella",
        [place("glabella", 5.5, -5), place("glabella", 6.5, 2), place("glabella", 5.5, 10)],
        1.0,
        0.5,
    )
    yield Line("glabella", [place("nasion", 4, 1), place("nasion", 6.5, 3)], 0.8, 0.25)
    for angle, length in ((38, 11), (20, 15), (2, 16), (-16, 14), (-34, 12)):
        way = np.radians(angle + rng.normal(0, 3))
        steps = [0.0, 0.5, 1.0]
        reach = length * rng.uniform(0.85, 1.2)
        course = [
            place(
                "outer_canthus",
                4.5 + reach * s * np.cos(way),
                reach * s * np.sin(way) - 1.5 * s * s + 2.0 * np.sin(way),
            )
            for s in steps
        ]
        yield Line("crow", course, 0.65, 0.30)
    crease = [
        place("eye", u * 14.5, 9.2 - (4.6 if u < 0 else 3.4) * abs(u) ** 2.2)
        for u in np.linspace(-1, 1, 7)
    ]
    yield Line("lid_crease", crease, 0.8, 0.6)
    for drop, width, depth in ((5.0, 0.6, 0.20), (7.6, 0.7, 0.20)):
        yield Line(
            "lower_lid",
            [
                place("eye", u * 14 + 1, -8.5 - drop * (1 - 0.45 * u * u))
                for u in np.linspace(-0.75, 1, 6)
            ],
            width,
            depth,
        )
    yield Line(
        "tear_trough",
        [
            place("inner_canthus", 0, -5),
            place("inner_canthus", 4.5, -12),
            place("inner_canthus", 12, -17),
            place("inner_canthus", 20, -18),
        ],
        2.2,
        0.55,
    )
    fold = [
        place("subnasale", 15.5, 10),
        place("subnasale", 21, 2.5),
        place("corner", 3.5, 6.5),
        place("corner", 6, -2),
        place("corner", 6, -8),
    ]
    yield Line("nasolabial", fold, 2.5, 0.85)
    yield Line(
        "marionette",
        [place("corner", 2, -2), place("corner", 4.5, -9), place("corner", 5, -17)],
        1.6,
        0.6,
    )
    yield Line(
        "dimple",
        [place("corner", 7, 6), place("corner", 8.5, 1), place("corner", 7.5, -5)],
        1.5,
        0.5,
    )
    for i in range(7):
        at = i * 2.9 + rng.normal(1.2, 0.5)
        lean = at * 0.12
        yield Line(
            "lip_radial",
            [place("lip_top", at, 0.6 - at * 0.20), place("lip_top", at + lean, 5.5 - at * 0.22)],
            0.42,
            0.22 * rng.uniform(0.6, 1.1),
        )
        if i < 5:
            yield Line(
                "lip_radial",
                [
                    place("lip_bottom", at, -0.5 + at * 0.12),
                    place("lip_bottom", at + lean, -4.2 + at * 0.12),
                ],
                0.45,
                0.18 * rng.uniform(0.6, 1.1),
            )


def _groove(face: FaceMap, height: Floats, crease: Floats, line: Line, amplitude: float) -> None:
    """Cuts one line: a rounded valley with a low rim, shallow at its ends."""
    course = _curve(np.array(line.course, np.float32), 24)
    width = line.width_mm * 1e-3 * face.scale
    left, top = face.origin
    rows = _window(
        (top - course[:, 1]) * face.texels_per_m, 4 * width * face.texels_per_m, height.shape[0]
    )
    columns = _window(
        (course[:, 0] - left) * face.texels_per_m, 4 * width * face.texels_per_m, height.shape[1]
    )
    x, z = face.grid()
    distance, along = _distance(x[:, columns], z[rows], course)
    taper = np.clip(np.sin(np.pi * np.clip(along, 0.02, 0.98)), 0, 1) ** 0.7
    valley = np.exp(-((distance / width) ** 2))
    rim = np.exp(-(((distance - 2.1 * width) / (0.9 * width)) ** 2))
    height[rows, columns] += amplitude * line.depth_mm * 1e-3 * taper * (0.22 * rim - valley)
    narrow = np.exp(-((distance / (0.6 * width)) ** 2))
    crease[rows, columns] += 0.8 * amplitude * taper * narrow / (1 + 0.4 * line.width_mm)


def _window(places: Floats, margin: float, limit: int) -> slice:
    return slice(
        int(np.clip(places.min() - margin, 0, limit)), int(np.clip(places.max() + margin, 0, limit))
    )


def _curve(points: Floats, count: int) -> Floats:
    """A Catmull-Rom curve (count, 2) through points (n, 2)."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    place = np.linspace(0, len(points) - 1 - 1e-4, count)
    i, t = place.astype(int), (place % 1)[:, None]
    a, b, c, d = (padded[i + k] for k in range(4))
    return np.asarray(
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        ),
        np.float32,
    )


def _distance(x: Floats, z: Floats, course: Floats) -> tuple[Floats, Floats]:
    """How far each texel is from a course, and where along it (0..1)."""
    best = np.full((z.size, x.size), 1e9, np.float32)
    along = np.zeros_like(best)
    for i in range(len(course) - 1):
        start, step = course[i], course[i + 1] - course[i]
        share = np.clip(
            ((x - start[0]) * step[0] + (z - start[1]) * step[1]) / (step @ step + 1e-12), 0, 1
        )
        squared = (x - start[0] - share * step[0]) ** 2 + (z - start[1] - share * step[1]) ** 2
        nearer = squared < best
        best = np.where(nearer, squared, best)
        along = np.where(nearer, (i + share) / (len(course) - 1), along)
    return np.sqrt(best), along
