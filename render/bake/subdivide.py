"""One step of Catmull-Clark subdivision as a linear map, so that it holds for displacements too.

Rules: Catmull & Clark (1978), Recursively generated B-spline surfaces on arbitrary topological
meshes; at a boundary the cubic spline's: edges halve, corners keep 3/4 of themselves.
"""

from dataclasses import dataclass

import numpy as np

from render.bake.source import Floats, Ints


@dataclass(frozen=True)
class Subdivision:
    """Subdivides `count` points along quads.

    Attributes:
        quads: int (4 q, 4), the finer quads; quads 4 k .. 4 k + 3 came from quad k.
    """

    count: int
    coarse: Ints
    edges: Ints
    sides: Ints
    quads: Ints

    def __call__(self, points: Floats) -> Floats:
        """Points, (count, d), to the finer ones: vertices, then edges, then faces."""
        faces = points[self.coarse].mean(1)
        ends = points[self.edges]
        middles = ends.mean(1)
        inner = self.sides[:, 1] >= 0
        edge_points = middles.copy()
        edge_points[inner] = (ends[inner].sum(1) + faces[self.sides[inner]].sum(1)) / 4
        return np.concatenate([self._vertices(points, faces, middles, inner), edge_points, faces])

    def _vertices(
        self, points: Floats, faces: Floats, middles: Floats, inner: np.ndarray
    ) -> Floats:
        valence = np.bincount(self.coarse.ravel(), minlength=self.count)[:, None]
        face_sum = np.zeros_like(points)
        np.add.at(face_sum, self.coarse.ravel(), np.repeat(faces, 4, 0))
        edge_sum = np.zeros_like(points)
        np.add.at(edge_sum, self.edges.ravel(), np.repeat(middles, 2, 0))
        n = np.maximum(valence, 1)
        out = (face_sum / n + 2 * edge_sum / n + (n - 3) * points) / n
        rim, rim_sum = np.zeros(self.count, bool), np.zeros_like(points)
        border = self.edges[~inner]
        rim[border.ravel()] = True
        np.add.at(rim_sum, border.ravel(), np.repeat(middles[~inner], 2, 0))
        out[rim] = points[rim] / 2 + rim_sum[rim] / 4
        return np.asarray(out)


def subdivision(quads: Ints, count: int) -> Subdivision:
    """The subdivision of `count` points joined by quads, int (q, 4)."""
    pairs = np.stack([quads, np.roll(quads, -1, 1)], 2).reshape(-1, 2)
    edges, which = np.unique(np.sort(pairs, 1), axis=0, return_inverse=True)
    which = which.reshape(-1, 4)
    # Quads around each edge: sorted by edge, an inner edge's second quad follows its first.
    owner = np.repeat(np.arange(len(quads)), 4)
    order = np.argsort(which.ravel(), kind="stable")
    sorted_edges = which.ravel()[order]
    first = np.searchsorted(sorted_edges, np.arange(len(edges)))
    last = np.searchsorted(sorted_edges, np.arange(len(edges)), "right") - 1
    sides = np.stack([owner[order[first]], np.where(last > first, owner[order[last]], -1)], 1)
    face = np.arange(len(quads)) + count + len(edges)
    edge = which + count
    finer = np.stack(
        [np.stack([quads[:, k], edge[:, k], face, edge[:, k - 1]], 1) for k in range(4)], 1
    )
    return Subdivision(count, quads, edges, sides, finer.reshape(-1, 4))
