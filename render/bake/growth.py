"""Growing hair: what every style of `hairstyles.py`, every brow and every beard is made with.

All strands are traced at once. Lengths are metres of a head of standard size (`skull.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from render.bake.skull import Skull

Floats = npt.NDArray[np.floating[Any]]
Field = Callable[[Floats], Floats]


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


def roots_over(skull: Skull, count: int, rng: np.random.Generator) -> Floats:
    """`count` points spread over the skull above the neck, (count, 3)."""
    d = rng.normal(size=(int(count * 1.7), 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    d = d[d[:, 2] > -0.72][:count]
    return skull.lift(skull.centre + d, 0.0)


def trace(
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


def loosened(points: Floats, rng: np.random.Generator, amount: float) -> Floats:
    """Strands that each bend in their own way, by about `amount` metres at the tip."""
    n, k, _ = points.shape
    s = np.linspace(0.0, 1.0, k)[None, :, None]
    bend = rng.normal(0.0, amount, (2, n, 1, 3))
    phase = rng.uniform(0.0, 2 * np.pi, (n, 1, 1))
    return np.asarray(points + bend[0] * s**2 + 0.5 * bend[1] * s * np.sin(7.0 * s + phase))


def locks(roots: Floats, size: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
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


def gathered(points: Floats, lock: npt.NDArray[np.int64], pull: Floats) -> Floats:
    """Strands drawn towards the leader of their lock, at the tip by `pull` (n,)."""
    share = smooth(np.linspace(0.0, 1.0, points.shape[1]), 0.0, 0.8)[None, :, None]
    return np.asarray(points + pull[:, None, None] * share * (points[lock] - points))


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


def even_strands(points: Floats, lock: npt.NDArray[np.int64], rng: np.random.Generator) -> Strands:
    """Strands of about one radius, no two quite alike."""
    radius = 0.000062 * rng.uniform(0.75, 1.2, len(points))
    return Strands(points.astype(np.float32), radius.astype(np.float32), lock)
