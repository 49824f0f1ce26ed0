"""Hair styles: strands grown over a skull (numpy alone; `blender/hair.py` draws them).

A style says where hair grows (its hairline), which way it flows over the skull, how high its layers
lie and how long it is. All strands of a style are traced at once. Lengths are metres of a head of
standard size (`skull.py`); "local" points are relative to the middle of the eyes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.bake.skull import Skull

Floats = npt.NDArray[np.floating[Any]]
Field = Callable[[Floats], Floats]

# Hairline: azimuth in degrees from the front -> local height in metres. Down the temple, around the
# ear, to the nape.
_AZIMUTHS = (0, 14, 28, 38, 47, 55, 61, 65, 69, 73, 78, 90, 103, 111, 122, 140, 160, 180)
_WOMAN = (62, 61.5, 58, 50, 38, 23, 8, -6, -13, 2, 14, 19, 13, -16, -44, -58, -66, -68)
_MAN = (61, 61, 58.5, 52, 43, 24, 10, -4, -22, -14, 9, 18, 12, -16, -42, -56, -62, -64)


_ROOTS = {"tied_back": 80_000, "short_layered": 72_000, "cropped": 150_000}
"""Roots over the whole head; about half of them lie within the hairline."""


@dataclass(frozen=True, slots=True)
class Strands:
    """Hairs.

    Attributes:
        points: float32 (n, k, 3) metres, root first.
        radius_m: float32 (n,), at the root.
        lock: int (n,), the lock that each belongs to.
        tip: Share of the radius left at the tip.
    """

    points: npt.NDArray[np.float32]
    radius_m: npt.NDArray[np.float32]
    lock: npt.NDArray[np.int64]
    tip: float = 0.35


def wave(rng: np.random.Generator, length: float, terms: int = 10) -> Field:
    """A smooth random field of points, about N(0, 1), with bumps of `length` metres."""
    waves = rng.normal(0.0, 2 * np.pi / length / 1.7, (3, terms))
    phases = rng.uniform(0.0, 2 * np.pi, terms)
    return lambda points: np.asarray(
        np.sin(points @ waves + phases).sum(axis=-1) / np.sqrt(terms / 2)
    )


def smooth(value: Floats, start: float, end: float) -> Floats:
    """Cubic step from 0 at `start` to 1 at `end`."""
    t = np.clip((value - start) / (end - start), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


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
        style: "tied_back", "short_layered" or "cropped".
        skull: What it grows on.
        part_m: Where the hair is parted, metres to the figure's left.
        seed: Of chance.
        density: Share of all hairs to grow: less for drafts.

    Raises:
        ValueError: There is no such style.
    """
    styles = {"tied_back": _tied_back, "short_layered": _short_layered, "cropped": _cropped}
    if style not in styles:
        raise ValueError(f"hair style {style!r} is none of {sorted(styles)}")
    rng = np.random.default_rng(seed)
    return styles[style](skull, _roots(skull, round(_ROOTS[style] * density), rng), part_m, rng)


def _roots(skull: Skull, count: int, rng: np.random.Generator) -> Floats:
    """`count` points spread over the skull above the neck, (count, 3)."""
    d = rng.normal(size=(int(count * 1.7), 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    d = d[d[:, 2] > -0.72][:count]
    return skull.lift(skull.centre + d, 0.0)


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


def _trace(
    skull: Skull, roots: Floats, flow: Field, height: Callable[[Floats, Floats], Floats], *,
    length: Floats, steps: int, ears: Floats | float = 0.0, stiffness: float = 0.6,
) -> Floats:  # fmt: skip
    """Strands (n, steps + 1, 3) that follow `flow` over the skull.

    `height`: metres over the skull, of points and their distances from the root.
    """
    # Steps grow from the root: long ones would leave a bare strip where hair rises out of the skin.
    share = (np.arange(steps + 1) / steps) ** 1.6
    at, points, heading = roots, [skull.lift(roots, -0.0012)], np.zeros_like(roots)
    for k in range(1, steps + 1):
        normal = skull.normals(at)
        wish = flow(at)
        wish = wish - normal * (wish * normal).sum(axis=1, keepdims=True)
        wish /= np.linalg.norm(wish, axis=1, keepdims=True) + 1e-9
        heading = wish if k == 1 else stiffness * heading + (1 - stiffness) * wish
        heading /= np.linalg.norm(heading, axis=1, keepdims=True) + 1e-9
        so_far = length * skull.scale * share[k]
        at = at + heading * (length * skull.scale * (share[k] - share[k - 1]))[:, None]
        over = smooth(np.full(len(at), float(k)), 0.0, 4.0) * ears
        at = skull.lift(at, height(at, so_far), over)
        points.append(at)
    return np.stack(points, axis=1)


def _loosened(points: Floats, rng: np.random.Generator, amount: float) -> Floats:
    """Strands that each bend in their own way, by about `amount` metres at the tip."""
    n, k, _ = points.shape
    s = np.linspace(0.0, 1.0, k)[None, :, None]
    bend = rng.normal(0.0, amount, (2, n, 1, 3))
    phase = rng.uniform(0.0, 2 * np.pi, (n, 1, 1))
    return np.asarray(points + bend[0] * s**2 + 0.5 * bend[1] * s * np.sin(7.0 * s + phase))


def _locks(roots: Floats, size: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """For every root the root that leads its lock; locks are about `size` metres wide."""
    count = max(int(0.05 / size**2), 1)
    leaders = rng.choice(len(roots), min(count, len(roots)), replace=False)
    lead = roots[leaders]
    out = np.empty(len(roots), np.int64)
    for k in range(0, len(roots), 4096):
        part = roots[k : k + 4096]
        squared = (lead**2).sum(axis=1) - 2.0 * part @ lead.T
        out[k : k + 4096] = leaders[squared.argmin(axis=1)]
    return out


def _gathered(points: Floats, lock: npt.NDArray[np.int64], pull: Floats) -> Floats:
    """Strands drawn towards the leader of their lock, at the tip by `pull` (n,)."""
    share = smooth(np.linspace(0.0, 1.0, points.shape[1]), 0.0, 0.8)[None, :, None]
    return np.asarray(points + pull[:, None, None] * share * (points[lock] - points))


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
    strands = _trace(skull, roots, flow, height, length=length, steps=26)
    lock = _locks(roots, 0.006, rng)
    strands = _gathered(strands, lock, rng.uniform(0.1, 0.75, len(roots)))
    hair = _loosened(strands, rng, 0.0005)
    stray = rng.random(len(hair)) < 0.012
    stray &= (depth > 0.012) | (skull.azimuth(roots) < 60)
    hair[stray] = _loosened(strands[stray], rng, 0.0028)
    return [_strands(hair, lock, rng), _baby_hair(skull, flow, side, roots, rng)]


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
    points = _trace(
        skull, start, lambda at: whole + drift, lambda at, s: lie * smooth(s, 0.0, 0.01) + 0.0002,
        length=length, steps=7,
    )  # fmt: skip
    return Strands(
        _loosened(points, rng, 0.0008).astype(np.float32),
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
        wish[:, 1] -= 0.55 * front * fringe
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
    strands = _trace(skull, roots, flow, height, length=length, steps=18, ears=0.7, stiffness=0.72)
    members = _locks(roots, 0.008, rng)
    strands = _gathered(strands, members, rng.uniform(0.1, 0.8, len(roots)))
    hair = _loosened(strands, rng, 0.0008)
    stray = rng.random(len(hair)) < 0.012
    hair[stray] = _loosened(strands[stray], rng, 0.0028)
    return [_strands(hair, members, rng), _baby_hair(skull, flow, side, roots, rng)]


def _cropped(skull: Skull, roots: Floats, part_m: float, rng: np.random.Generator) -> list[Strands]:
    """Tight curls of 4 to 8 mm, sharp over the forehead, faded at temples and nape."""
    depth = hair_depth(skull, roots, _MAN) + 0.0008 * wave(rng, 0.006)(roots)
    sharp = 1 - smooth(skull.azimuth(roots), 42, 60)
    full = smooth(depth, 0.0, 0.035)
    density = np.where(
        sharp > 0.5, smooth(depth, -0.0005, 0.0035), 0.35 * smooth(depth, 0, 0.006) + 0.65 * full
    )
    density = np.where(depth > 0, density, 0.0)
    keep = rng.random(len(roots)) < density
    roots, full, sharp = roots[keep], full[keep], sharp[keep]
    size = np.maximum(0.30 + 0.70 * full, 0.72 * sharp * smooth(depth[keep], -0.004, 0.01))
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


def coils(
    roots: Floats, axes: Floats, length: Floats, radius: Floats, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Curled hairs (n, 10, 3) around `axes` (n, 3); length and radius of the curl are (n,)."""
    axes = axes + rng.normal(0.0, 0.28, axes.shape)
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    u = np.cross(axes, rng.normal(size=axes.shape))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(axes, u)
    s = np.linspace(0.0, 1.0, 10)[None, :, None]
    angle = (
        s * rng.uniform(7.0, 13.0, (len(roots), 1, 1)) * rng.choice([-1.0, 1.0], (len(roots), 1, 1))
    )
    wide = (radius * rng.uniform(0.6, 1.2, len(roots)))[:, None, None] * smooth(s, 0.0, 0.4)
    along = axes[:, None] * (length * 0.8)[:, None, None] * s
    curl = u[:, None] * np.cos(angle) + v[:, None] * np.sin(angle) - u[:, None]
    return np.asarray(roots[:, None] + along + wide * curl, np.float32)


def _strands(points: Floats, lock: npt.NDArray[np.int64], rng: np.random.Generator) -> Strands:
    """Strands of about one radius, no two quite alike."""
    radius = 0.000062 * rng.uniform(0.75, 1.2, len(points))
    return Strands(points.astype(np.float32), radius.astype(np.float32), lock)
