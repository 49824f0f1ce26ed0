"""Eyes and mouth: the two parts of the skin that are drawn apart, each only when it changes.

What a region shows is a function of few numbers: of the weights that move it, in steps that are too
small to see. Two poses that round to the same steps show the same, whatever was drawn before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.baked.kernels import Coat, Floats, Ints, Lens, Morphs
from render.baked.morphing import place
from render.baked.rig import Mesh
from render.types import ARKIT

_STEP_PX = 0.2  # that a step of a weight moves any vertex
_WIDEST_STEP = 1 / 50  # of a weight that moves no skin
_MOVES_PX = 0.1  # a weight that moves no vertex of a region farther does not change it


@dataclass(frozen=True, slots=True)
class Paint:
    """How the triangles of a mesh are drawn.

    Attributes:
        coat: Of every vertex.
        inner_lips: float32 in [0, 1], shape (v,): how much a vertex is of their inside.
        plain: bool, shape (t,): triangles that show one texture alone, opaque and unshaded.
        skin: bool, shape (t,): triangles of the outside of the head that show at all.
    """

    coat: Coat
    inner_lips: Floats
    plain: NDArray[np.bool_]
    skin: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Region:
    """Rows of the canvas, and the part of the mesh that shows on them.

    Attributes:
        top: First row.
        bottom: One past the last.
        steps: float32, shape (52,): in which each weight moves; 0 where it changes nothing.
        mesh: The part of the mesh.
        morphs: The same, for kernels.
        at_rest: float32, shape (v, 3): its canvas positions at rest.
        plain: How many of its triangles, from the first, are plain.
        skin: int32: all that are of the outside of the head.
        covers: bool, as long as `skin`: those in front of eyeballs or the inside of the mouth.
        lining: int32: triangles of the inside of the mouth.
        coat: Paint of its vertices.
        inner_lips: As in `Paint`.
    """

    top: int
    bottom: int
    steps: Floats
    mesh: Mesh
    morphs: Morphs
    at_rest: Floats
    plain: int
    skin: Ints
    covers: NDArray[np.bool_]
    lining: Ints
    coat: Coat
    inner_lips: Floats

    def rounded(self, weights: Floats) -> Floats:
        """The weights that are drawn, float32, shape (52,): those that matter, in their steps."""
        steps = np.where(self.steps > 0, self.steps, np.float32(1))
        return np.where(self.steps > 0, np.rint(weights / steps) * steps, np.float32(0))


def region(
    mesh: Mesh,
    paint: Paint,
    lens: Lens,
    rows: tuple[int, int],
    covers: NDArray[np.bool_],
    others: tuple[str, ...] = (),
) -> Region:
    """Cut a region out of a mesh.

    Args:
        mesh: The mesh.
        paint: How it is drawn.
        lens: To canvas pixels.
        rows: First row, and one past the last.
        covers: bool, shape (t,): triangles in front of something that is not skin.
        others: Weights that change the region though they move no skin.
    """
    top, bottom = rows
    at = at_rest(morphs_of(mesh), lens)
    farthest = _farthest(mesh, lens, (at[:, 1] >= top) & (at[:, 1] < bottom) & _shown(mesh, paint))
    uses = farthest > _MOVES_PX
    for name in others:
        uses[ARKIT.index(name)] = True
    reach = _reach(mesh, uses, lens)
    corners = mesh.triangles
    near = ((at[:, 1] + reach)[corners].max(1) >= top) & (
        (at[:, 1] - reach)[corners].min(1) < bottom
    )
    order = [
        np.flatnonzero(near & which)
        for which in (paint.skin & paint.plain, paint.skin & ~paint.plain, mesh.lining)
    ]
    chosen = np.concatenate(order)
    kept, triangles = np.unique(corners[chosen], return_inverse=True)
    part = mesh.part(kept, triangles.reshape(-1, 3).astype(np.int32), len(order[2]))
    skins = len(order[0]) + len(order[1])
    steps = np.minimum(_WIDEST_STEP, _STEP_PX / np.maximum(farthest, 1e-6))
    return Region(
        top=top,
        bottom=bottom,
        steps=np.where(uses, steps, 0).astype(np.float32),
        mesh=part,
        morphs=morphs_of(part),
        at_rest=at[kept],
        plain=len(order[0]),
        skin=np.arange(skins, dtype=np.int32),
        covers=covers[chosen[:skins]],
        lining=np.arange(skins, len(chosen), dtype=np.int32),
        coat=Coat(*(np.ascontiguousarray(values[kept]) for values in paint.coat)),
        inner_lips=paint.inner_lips[kept],
    )


def morphs_of(mesh: Mesh) -> Morphs:
    """A mesh as kernels take it."""
    return Morphs(mesh.vertices, mesh.morph_starts, mesh.morph_vertices, mesh.morph_deltas)


def at_rest(morphs: Morphs, lens: Lens) -> Floats:
    """Canvas positions and depths, float32, shape (v, 3), when every weight is 0."""
    out = np.empty_like(morphs.vertices)
    place(morphs, np.zeros(len(ARKIT), np.float32), lens, out)
    return out


def _shown(mesh: Mesh, paint: Paint) -> NDArray[np.bool_]:
    out = np.zeros(len(mesh.vertices), np.bool_)
    out[mesh.triangles[paint.skin]] = True
    return out & (paint.coat.opacity > 0)


def _farthest(mesh: Mesh, lens: Lens, which: NDArray[np.bool_]) -> Floats:
    """The farthest that each weight moves any of some vertices, in pixels, shape (52,)."""
    moves = np.abs(mesh.morph_deltas).max(1) * which[mesh.morph_vertices]
    out = np.zeros(len(ARKIT), np.float32)
    np.maximum.at(out, np.repeat(np.arange(len(ARKIT)), np.diff(mesh.morph_starts)), moves)
    return out * np.float32(_zoom(lens))


def _reach(mesh: Mesh, uses: NDArray[np.bool_], lens: Lens) -> Floats:
    """The farthest that some weights together move each vertex, in pixels, shape (v,)."""
    rows = np.repeat(uses, np.diff(mesh.morph_starts))
    out = np.zeros(len(mesh.vertices), np.float32)
    np.add.at(out, mesh.morph_vertices[rows], np.abs(mesh.morph_deltas[rows]).max(1))
    return out * np.float32(_zoom(lens))


def _zoom(lens: Lens) -> float:
    """Pixels per metre, of what is nearest to the camera."""
    return max(lens.zoom_x, lens.zoom_y) / (lens.distance - 0.15)
