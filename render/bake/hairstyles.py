"""Hair styles: strands grown over a skull (numpy alone; `blender/hair.py` draws them).

A style says where hair grows (its hairline), which way it flows over the skull, how high its layers
lie and how long it is. Lengths are metres of a head of standard size (`skull.py`); "local" points
are relative to the middle of the eyes.
"""

import numpy as np

from render.bake.growth import (
    Field,
    Floats,
    Strands,
    coils,
    even_strands,
    gathered,
    locks,
    loosened,
    roots_over,
    smooth,
    trace,
    wave,
)
from render.bake.skull import Skull

# Hairline: azimuth in degrees from the front -> local height in metres. Down the temple, around the
# ear, to the nape.
_AZIMUTHS = (0, 14, 28, 38, 47, 55, 61, 65, 69, 73, 78, 90, 103, 111, 122, 140, 160, 180)
_WOMAN = (58, 57.5, 53.5, 45, 33, 18.5, 5, -7, -13, 2, 14, 19, 13, -16, -44, -58, -66, -68)
_MAN = (61, 61, 58.5, 52, 43, 24, 10, -4, -22, -14, 9, 18, 12, -16, -42, -56, -62, -64)


_ROOTS = {"tied_back": 80_000, "bob": 80_000, "short_layered": 72_000, "cropped": 150_000}
"""Roots over the whole head; about half of them lie within the hairline."""


def hair_depth(skull: Skull, points: Floats, heights_mm: tuple[float, ...] = _WOMAN) -> Floats:
    """How far inside the hairline points of the skull lie, metres; negative on bare skin."""
    line = np.interp(skull.azimuth(points), _AZIMUTHS, np.asarray(heights_mm) / 1000)
    return np.asarray(skull.local(points)[..., 2] - line)


def hairline(style: str) -> tuple[float, ...]:
    """The hairline of a style, local heights in millimetres."""
    return _MAN if style == "cropped" else _WOMAN


def grow(style: str, skull: Skull, part_m: float, seed: int, density: float = 1.0) -> list[Strands]:
    """The strands of a style.

    Args:
        style: "tied_back", "bob", "short_layered" or "cropped".
        skull: What it grows on.
        part_m: Where the hair is parted, metres to the figure's left.
        seed: Of chance.
        density: Share of all hairs to grow: less for drafts.

    Raises:
        ValueError: There is no such style.
    """
    styles = {
        "tied_back": _tied_back,
        "bob": _bob,
        "short_layered": _short_layered,
        "cropped": _cropped,
    }
    if style not in styles:
        raise ValueError(f"hair style {style!r} is none of {sorted(styles)}")
    rng = np.random.default_rng(seed)
    return styles[style](skull, roots_over(skull, round(_ROOTS[style] * density), rng), part_m, rng)


def _thickened(skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator) -> Floats:
    """Roots with more of them where hair parts and the scalp would show: the part, the front."""
    local = skull.local(roots)
    parted = (np.abs(local[:, 0] - part_m) < 0.010) & (local[:, 1] < 0.10) & (local[:, 2] > 0.03)
    front = (hair_depth(skull, roots) < 0.014) & (skull.azimuth(roots) < 66)
    line = parted & (np.abs(local[:, 0] - part_m) < 0.004)
    more = np.concatenate(
        [np.repeat(roots[parted | front], 2, axis=0), np.repeat(roots[line], 5, axis=0)]
    )
    more = more + rng.normal(0.0, 0.0009, more.shape)
    return np.concatenate([roots, skull.lift(more, 0.0)])


def _sides(skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator) -> Floats:
    """-1 or 1: to which side of the part a hair falls; towards the crown the part fades."""
    local = skull.local(roots)
    blur = 0.0010 + 0.016 * smooth(local[:, 1], 0.035, 0.085)
    return np.asarray(np.sign(local[:, 0] - part_m - blur * rng.normal(size=len(roots))))


def _tied_back(
    skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator
) -> list[Strands]:
    """Side part, volume over the skull, everything gathered in a low knot behind the head."""
    roots = roots[hair_depth(skull, roots) + 0.0012 * wave(rng, 0.012)(roots) > 0.0]
    roots = _thickened(skull, roots, part_m, rng)
    side = _sides(skull, roots, part_m, rng)
    turn = 0.15 * wave(rng, 0.013)(roots) + rng.normal(0.0, 0.03, len(roots))
    knot = np.array([0.0, 0.162, -0.034]) + rng.normal(0.0, 0.006, (len(roots), 3))
    layer = rng.random(len(roots)) ** 0.8
    depth = hair_depth(skull, roots)
    swell = wave(rng, 0.011)(roots)
    passing = 0.010 + 0.042 * rng.random(len(roots)) ** 1.6
    edge = np.where(skull.azimuth(roots) < 62, 0.30, 0.75)

    def flow(at: Floats) -> Floats:
        local = skull.local(at)
        wish = knot - local
        wish /= np.linalg.norm(wish, axis=1, keepdims=True)
        from_part = np.abs(local[:, 0] - part_m)
        front = (1 - smooth(local[:, 1], 0.02, 0.11)) * smooth(local[:, 2], 0.03, 0.07)
        wish[:, 0] += side * (1.0 * np.exp(-from_part / 0.024) * front + turn)
        wish[:, 1] += 0.5 * front * smooth(from_part, 0.008, 0.03)
        # In front of the ear hair climbs to pass over it; it comes down behind.
        before = 1 - smooth(local[:, 1], 0.060, 0.090)
        before *= 1 - smooth(local[:, 2] - passing, 0.002, 0.034)
        climb = 0.75 * (1 - smooth(local[:, 2] - passing, -0.004, 0.024)) - 0.15
        wish[:, 2] += before * (climb - wish[:, 2])
        return wish

    def height(at: Floats, s: Floats) -> Floats:
        local = skull.local(at)
        thick = 0.0036 + 0.0054 * smooth(local[:, 2], 0.012, 0.080)
        rise = 0.30 + 0.70 * smooth(s, 0.0, 0.045)
        rise *= edge + (1 - edge) * smooth(depth + 0.5 * s, 0.0, 0.025)
        puff = 0.0020 * smooth(local[:, 2], 0.03, 0.08) + 0.0009 + 0.0011 * swell
        return np.asarray((thick * layer + puff) * rise + 0.0003)

    length = (
        0.9 * np.linalg.norm(knot - skull.local(roots), axis=1) * rng.uniform(1.0, 1.1, len(roots))
    )
    length *= 1.0 + 0.25 * smooth(-skull.local(roots)[:, 1], -0.08, 0.02)
    strands = trace(skull, roots, flow, height, length=length, steps=26)
    lock = locks(roots, 0.006, rng)
    strands = gathered(strands, lock, rng.uniform(0.1, 0.75, len(roots)))
    hair = loosened(strands, rng, 0.0005)
    stray = rng.random(len(hair)) < 0.012
    stray &= (depth > 0.012) | (skull.azimuth(roots) < 60)
    hair[stray] = loosened(strands[stray], rng, 0.0028)
    return [even_strands(hair, lock, rng), _baby_hair(skull, flow, side, roots, rng)]


def _baby_hair(
    skull: Skull, flow: Field, side: Floats, roots: Floats, rng: np.random.Generator
) -> Strands:
    """Fine short hairs along the hairline of the face, growing the way that the long ones flow."""
    near = (hair_depth(skull, roots) < 0.006) & (skull.azimuth(roots) < 66)
    pick = np.flatnonzero(near)
    start: Floats = roots[pick] + np.array([0.0, 0.0, -0.0035]) * rng.random((len(pick), 1))
    start = skull.lift(start, 0.0)
    whole = flow(roots)[pick]
    drift = rng.normal(0.0, 0.30, (len(pick), 3))
    length = rng.uniform(0.006, 0.018, len(pick))
    lie = rng.uniform(0.0004, 0.0022, len(pick))
    points = trace(
        skull, start, lambda at: whole + drift, lambda at, s: lie * smooth(s, 0.0, 0.01) + 0.0002,
        length=length, steps=7,
    )  # fmt: skip
    return Strands(
        loosened(points, rng, 0.0008).astype(np.float32),
        np.full(len(points), 0.000034, np.float32),
        np.arange(len(points)),
        tip=0.15,
    )


def _short_layered(
    skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator
) -> list[Strands]:
    """Short hair in layers, swept from a part, over the ears' tops, ending above the jaw."""
    roots = roots[hair_depth(skull, roots) + 0.0012 * wave(rng, 0.012)(roots) > 0.0]
    roots = _thickened(skull, roots, part_m, rng)
    local = skull.local(roots)
    side = _sides(skull, roots, part_m, rng)
    lock, turn = wave(rng, 0.013)(roots), 0.16 * wave(rng, 0.020)(roots)
    turn = turn + rng.normal(0.0, 0.05, len(roots))
    layer = rng.random(len(roots)) ** 0.75
    depth = hair_depth(skull, roots)
    azimuth = skull.azimuth(roots)
    fringe = smooth(layer, 0.15, 0.5)
    crown = np.array([0.0, 0.108])

    def flow(at: Floats) -> Floats:
        here = skull.local(at)
        wish = np.zeros_like(at)
        away = here[:, :2] - crown
        away /= np.linalg.norm(away, axis=1, keepdims=True) + 0.01
        top = smooth(here[:, 2], 0.035, 0.075)
        front = (1 - smooth(here[:, 1], 0.015, 0.085)) * top
        wish[:, :2] += 0.85 * away * (0.35 + 0.65 * (1 - front))[:, None]
        wish[:, 0] += side * (1.25 * front + 0.25 * top)
        wish[:, 1] -= 0.25 * front * fringe
        wish[:, 2] -= 0.25 + 0.95 * (1 - top)
        beside = (1 - top) * (1 - smooth(here[:, 1], 0.02, 0.10))
        wish[:, 1] += 1.25 * beside + turn
        wish[:, 0] += turn * top
        return wish

    def height(at: Floats, s: Floats) -> Floats:
        here = skull.local(at)
        thick = 0.006 + 0.013 * smooth(here[:, 2], 0.02, 0.085)
        thick *= 0.55 + 0.45 * smooth(here[:, 2], -0.045, 0.01)
        rise = smooth(s, 0.0, 0.030) * (0.45 + 0.55 * smooth(depth, 0.0, 0.02))
        inwards = 1.0 - 0.25 * smooth(s / length, 0.65, 1.0)
        return np.asarray((thick * layer + 0.0028 + 0.0015 * lock) * rise * inwards + 0.0004)

    length: Floats = np.interp(
        azimuth, [0, 45, 70, 100, 140, 180], [0.060, 0.056, 0.048, 0.054, 0.048, 0.040]
    )
    length = length + 0.022 * smooth(local[:, 2], 0.045, 0.095) * smooth(azimuth, 30, 80)
    length = length * (1.0 + 0.10 * wave(rng, 0.018)(roots)) * rng.uniform(0.66, 1.06, len(roots))
    # Behind the face no hair reaches lower than the ear's lobe.
    reach = np.clip(local[:, 2] + 0.040, 0.010, None) * rng.uniform(0.85, 1.1, len(roots))
    length = np.where(azimuth > 66, np.minimum(length, reach), length)
    strands = trace(skull, roots, flow, height, length=length, steps=18, ears=0.7, stiffness=0.72)
    members = locks(roots, 0.008, rng)
    strands = gathered(strands, members, rng.uniform(0.1, 0.8, len(roots)))
    hair = loosened(strands, rng, 0.0008)
    stray = rng.random(len(hair)) < 0.012
    hair[stray] = loosened(strands[stray], rng, 0.0028)
    return [even_strands(hair, members, rng), _baby_hair(skull, flow, side, roots, rng)]


def _bob(skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator) -> list[Strands]:
    """Hair to the jaw, parted, that falls beside the face and covers the ears."""
    roots = roots[hair_depth(skull, roots) + 0.0012 * wave(rng, 0.012)(roots) > 0.0]
    roots = _thickened(skull, roots, part_m, rng)
    local = skull.local(roots)
    side = _sides(skull, roots, part_m, rng)
    swell = wave(rng, 0.013)(roots)
    turn = 0.12 * wave(rng, 0.020)(roots) + rng.normal(0.0, 0.03, len(roots))
    layer = rng.random(len(roots)) ** 0.75
    depth = hair_depth(skull, roots)
    crown = np.array([0.0, 0.108])
    end = rng.normal(-0.066, 0.003, len(roots)) + 0.003 * swell

    def flow(at: Floats) -> Floats:
        here = skull.local(at)
        wish = np.zeros_like(at)
        away = here[:, :2] - crown
        away /= np.linalg.norm(away, axis=1, keepdims=True) + 0.01
        top = smooth(here[:, 2], 0.020, 0.075)
        front = (1 - smooth(here[:, 1], 0.015, 0.085)) * top
        wish[:, :2] += 0.85 * away * (top * (0.35 + 0.65 * (1 - front)))[:, None]
        wish[:, 0] += side * (1.35 * front + 0.25 * top)
        wish[:, 1] += 0.45 * front
        wish[:, 2] -= 0.25 + 1.0 * (1 - top)
        # Beside the face hair keeps behind its edge.
        beside = (1 - top) * (1 - smooth(here[:, 1], 0.030, 0.048))
        wish[:, 1] += 1.4 * beside + turn * top
        wish[:, 0] += turn * top
        return wish

    def height(at: Floats, s: Floats) -> Floats:
        here = skull.local(at)
        thick = 0.006 + 0.010 * smooth(here[:, 2], 0.02, 0.085)
        rise = smooth(s, 0.0, 0.035) * (0.45 + 0.55 * smooth(depth + 0.4 * s, 0.0, 0.02))
        lie = (thick * layer + 0.0028 + 0.0015 * swell) * rise + 0.0004
        return np.asarray(lie + _hang(skull, at, 0.10 * smooth(s / length, 0.6, 1.0)))

    length = np.clip(local[:, 2] - end, 0.02, None)
    over = np.clip(0.078 - np.abs(local[:, 0]), 0.0, None)
    length = length + 0.55 * over * smooth(local[:, 2], 0.03, 0.07)
    length = length * rng.uniform(0.90, 1.0, len(roots))
    strands = trace(skull, roots, flow, height, length=length, steps=26, ears=0.9, stiffness=0.72)
    # No lock has hairs on both sides of the part.
    members = locks(roots + 0.05 * side[:, None] * [1.0, 0.0, 0.0], 0.008, rng)
    strands = gathered(strands, members, rng.uniform(0.1, 0.8, len(roots)))
    hair = loosened(strands, rng, 0.0008)
    stray = rng.random(len(hair)) < 0.008
    hair[stray] = loosened(strands[stray], rng, 0.0025)
    return [even_strands(hair, members, rng), _baby_hair(skull, flow, side, roots, rng)]


def _hang(skull: Skull, at: Floats, inwards: Floats) -> Floats:
    """How far over the skull hair hangs that falls straight from the head's widest part, metres.

    `inwards`: by which share of the way to the head's axis it turns in.
    """
    d = at - skull.centre
    level = np.array([0.0, 0.0, skull.eyes[2] - skull.centre[2] - 0.004 * skull.scale])
    flat = d * [1.0, 1.0, 0.0]
    flat /= np.linalg.norm(flat, axis=-1, keepdims=True)
    rim = skull.lift(skull.centre + 0.07 * flat + level, 0.0)
    wide = np.linalg.norm((rim - skull.centre)[..., :2], axis=-1)
    away, aside = np.linalg.norm(d, axis=-1), np.linalg.norm(d[..., :2], axis=-1)
    needed = (1 - inwards) * wide * away / np.maximum(aside, 1e-6) - (away - skull.height(at))
    below = smooth(-(at[..., 2] - skull.centre[2] - level[2]), 0.0, 0.02)
    return np.asarray(np.clip(needed, 0.0, None) * below)


def _cropped(skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator) -> list[Strands]:
    """Tight curls of 4 to 8 mm that thin out over the forehead, faded at temples and nape."""
    ragged = 0.0008 * wave(rng, 0.006)(roots) + 0.0012 * wave(rng, 0.022)(roots)
    depth = hair_depth(skull, roots, _MAN) + ragged
    sharp = 1 - smooth(skull.azimuth(roots), 42, 60)
    full = smooth(depth, 0.0, 0.035)
    density = np.where(
        sharp > 0.5, smooth(depth, -0.0005, 0.0090), 0.35 * smooth(depth, 0, 0.006) + 0.65 * full
    )
    density = np.where(depth > 0, density, 0.0)
    keep = rng.random(len(roots)) < density
    roots, full, sharp = roots[keep], full[keep], sharp[keep]
    size = np.maximum(0.30 + 0.70 * full, 0.72 * sharp * smooth(depth[keep], -0.004, 0.014))
    length = rng.uniform(0.0045, 0.0080, len(roots)) * size
    normal = skull.normals(roots)
    lean = 0.55 * wave(rng, 0.006)(roots)[:, None] * np.cross(normal, [0.3, 1.0, 0.2])
    return [
        Strands(
            coils(roots - 0.0010 * normal, normal + lean, length, 0.0008 * size, rng),
            np.full(len(roots), 0.000055, np.float32),
            np.arange(len(roots)),
            tip=0.6,
        )
    ]
