"""Paints a character's skin: what to multiply its tone by, how it is creased, how rough it is.

Colour follows blood and melanin: red where vessels lie near the surface (cheeks, nose, ears, chin),
yellower on the forehead, cooler on the jaw (Jimenez et al. 2010, "A practical appearance model for
dynamic facial color").
"""

from dataclasses import dataclass

import numpy as np

from render.bake.face_map import FaceMap, Floats, fractal
from render.bake.wrinkles import carve

# Change of linear RGB where there is all the blood, or all the melanin, that a zone can have.
_BLOOD = np.array([0.04, -0.30, -0.26], np.float32)
_MELANIN = np.array([-0.22, -0.34, -0.42], np.float32)
_YELLOW = np.array([0.0, -0.01, -0.06], np.float32)
_COOL = np.array([-0.07, -0.04, -0.01], np.float32)
_STUBBLE = np.array([-0.30, -0.24, -0.18], np.float32)


@dataclass(frozen=True)
class SkinPaint:
    """Pictures over the face map, float32, row 0 at the top.

    Attributes:
        tint: (H, W, 3), linear RGB factors of the skin's tone.
        height: (H, W), metres.
        roughness: (H, W), added to the skin's roughness.
    """

    tint: Floats
    height: Floats
    roughness: Floats


@dataclass(frozen=True)
class SkinTraits:
    """What a character's skin is like; each 0..1."""

    redness: float = 0.4
    freckles: float = 0.1
    lines: float = 0.1
    stubble: float = 0.0
    seed: int = 1


def paint(face: FaceMap, traits: SkinTraits, wrinkles: dict[str, float]) -> SkinPaint:
    """Paints the skin of a resting face with the lines of an expression (name -> 0..1)."""
    rng = np.random.default_rng(traits.seed)
    x, z = face.grid()
    shape = (z.size, x.size)
    height, crease = carve(face, traits.lines, wrinkles, rng)
    patch = fractal(shape, 0.016 * face.texels_per_m, 5, rng)
    mottle = fractal(shape, 0.0045 * face.texels_per_m, 4, rng)
    blood = _blood(face, x, z) * (1 + 0.45 * patch + 0.15 * mottle) + 0.06 * mottle + 0.07 * patch
    melanin = 0.075 * fractal(shape, 0.010 * face.texels_per_m, 4, rng) + _spots(face, traits, rng)
    layers = (
        (blood * (0.25 + 0.75 * traits.redness), _BLOOD),
        (melanin, _MELANIN),
        (_forehead(face, x, z), _YELLOW),
        (_jaw(face, x, z), _COOL),
        (
            _under_eyes(face, x, z) * (0.35 + 0.4 * traits.lines),
            np.array([-0.16, -0.20, -0.14], np.float32),
        ),
        (traits.stubble * _stubble(face, x, z) * (1 + 0.2 * mottle), _STUBBLE),
        (0.55 * crease, np.array([-0.20, -0.34, -0.36], np.float32)),
    )
    tint = np.ones((*shape, 3), np.float32)
    for amount, change in layers:
        tint *= 1 + amount[..., None] * change
    # Skin is never flat between its lines: hollows 5-15 mm wide, a tenth of a millimetre deep.
    height = height + np.float32(6e-5 + 5e-5 * traits.lines) * fractal(
        shape, 0.008 * face.texels_per_m, 3, rng
    )
    rough = 0.05 * mottle - 0.10 * _oily(face, x, z) + 0.10 * crease
    return SkinPaint(np.clip(tint, 0.05, 1.5), height.astype(np.float32), rough.astype(np.float32))


def _blob(x: Floats, z: Floats, at: tuple[float, float], wide_m: float, high_m: float) -> Floats:
    """A soft spot on both sides of the face."""
    across = ((np.abs(x) - at[0]) / wide_m) ** 2
    return np.asarray(np.exp(-across - ((z - at[1]) / high_m) ** 2), np.float32)


def _blood(face: FaceMap, x: Floats, z: Floats) -> Floats:
    size = face.scale
    cheeks = _blob(x, z, face.place("eye", 8, -29), 0.026 * size, 0.019 * size)
    low = _blob(x, z, face.place("eye", 18, -44), 0.024 * size, 0.024 * size)
    nose = _blob(x, z, face.place("nose", 0, -3), 0.014 * size, 0.010 * size)
    wings = _blob(x, z, face.place("subnasale", 15, 8), 0.006 * size, 0.007 * size)
    chin = _blob(x, z, face.place("chin", 0, 0), 0.013 * size, 0.010 * size)
    corners = _blob(x, z, face.place("inner_canthus", 0, -1), 0.006 * size, 0.005 * size)
    lids = _blob(x, z, face.place("eye", 1, 6), 0.016 * size, 0.007 * size)
    ears = 1 / (1 + np.exp((0.074 * size - np.abs(x)) / 0.002)) + 0 * z
    total = (
        0.40 * cheeks
        + 0.30 * low
        + 0.45 * nose
        + 0.45 * wings
        + 0.20 * chin
        + 0.45 * corners
        + 0.14 * lids
        + 0.55 * ears
    )
    return np.asarray(total, np.float32)


def _forehead(face: FaceMap, x: Floats, z: Floats) -> Floats:
    brow = face.place("eye", 0, 22)[1]
    return np.asarray(1 / (1 + np.exp((brow - z) / 0.006)) + 0 * x, np.float32)


def _jaw(face: FaceMap, x: Floats, z: Floats) -> Floats:
    start = face.place("lip_parting", 0, 2)[1]
    return np.asarray(
        1 / (1 + np.exp((z - start) / 0.008)) * np.clip(np.abs(x) / 0.05, 0.3, 1), np.float32
    )


def _under_eyes(face: FaceMap, x: Floats, z: Floats) -> Floats:
    size = face.scale
    hollow = _blob(x, z, face.place("inner_canthus", 5, -11), 0.010 * size, 0.005 * size)
    return hollow + 0.6 * _blob(x, z, face.place("eye", 2, -15), 0.015 * size, 0.005 * size)


def _stubble(face: FaceMap, x: Floats, z: Floats) -> Floats:
    """Where a beard grows: cheeks below a line from ear to moustache, lip, chin, upper neck."""
    nose = face.place("subnasale", 0, -2)[1]
    line = (
        nose
        - 0.012 * face.scale * np.clip(1 - np.abs(np.abs(x) - 0.022) / 0.03, 0, 1)
        + 0.2 * np.maximum(np.abs(x) - 0.045, 0)
    )
    low = face.place("chin_bottom", 0, -38)[1]
    above = 1 / (1 + np.exp((z - line) / 0.004))
    return np.asarray(above / (1 + np.exp((low - z) / 0.008)), np.float32)


def _oily(face: FaceMap, x: Floats, z: Floats) -> Floats:
    size = face.scale
    forehead = _blob(x, z, (0.0, face.place("forehead")[1]), 0.030 * size, 0.018 * size)
    bridge = _blob(x, z, face.place("nose", 0, 12), 0.010 * size, 0.022 * size)
    tip = _blob(x, z, face.place("nose", 0, 1), 0.012 * size, 0.008 * size)
    bones = _blob(x, z, face.place("eye", 12, -20), 0.016 * size, 0.009 * size)
    chin = _blob(x, z, face.place("chin"), 0.012 * size, 0.008 * size)
    return np.asarray(forehead + bridge + tip + 0.5 * bones + 0.6 * chin, np.float32)


def _spots(face: FaceMap, traits: SkinTraits, rng: np.random.Generator) -> Floats:
    """Freckles where the sun falls, a few moles, and with age wide pale brown patches."""
    x, z = face.grid()
    found = np.zeros((z.size, x.size), np.float32)
    kinds = (
        (int(420 * traits.freckles), (0.35, 0.85), (0.15, 0.6), 0.034),
        (7, (0.45, 0.8), (0.9, 1.6), 0.075),
        (int(26 * max(0.0, traits.lines - 0.35)), (1.0, 2.6), (0.12, 0.4), 0.06),
    )
    for count, radii, strengths, spread in kinds:
        for _ in range(count):
            place = (
                rng.normal(0, spread * face.scale),
                face.place("eye", 0, -22)[1] + rng.normal(0, 0.9 * spread),
            )
            _spot(face, found, place, rng.uniform(*radii) * 1e-3, rng.uniform(*strengths))
    return found


def _spot(
    face: FaceMap, into: Floats, place: tuple[float, float], radius_m: float, strength: float
) -> None:
    left, top = face.origin
    column, row = ((place[0] - left) * face.texels_per_m, (top - place[1]) * face.texels_per_m)
    reach = int(3 * radius_m * face.texels_per_m) + 1
    rows = np.arange(max(0, int(row) - reach), min(into.shape[0], int(row) + reach))
    columns = np.arange(max(0, int(column) - reach), min(into.shape[1], int(column) + reach))
    squared = ((rows[:, None] - row) ** 2 + (columns[None] - column) ** 2) / (
        radius_m * face.texels_per_m
    ) ** 2
    into[np.ix_(rows, columns)] += strength * np.exp(-(squared**1.5))
