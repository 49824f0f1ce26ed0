"""A mesh with fewer triangles, on a sheet made for the purpose: it moves as it did."""

import numpy as np
import pytest

from render.baked.coarse import coarse_mesh
from render.baked.rig import Mesh, Skinning
from render.types import ARKIT

SIDE_M = 0.04
CELLS = 20
CORNERS = (CELLS + 1) ** 2
SLIP_M, FADE = 4.1e-4, 0.125


def sheet(delta: np.ndarray, cut: float | None = None) -> Mesh:
    """A square sheet of which jawOpen moves every vertex by `delta`; rows under `cut` line it."""
    along = np.linspace(-SIDE_M / 2, SIDE_M / 2, CELLS + 1)
    x, z = (axis.ravel() for axis in np.meshgrid(along, along))
    corner = np.arange(CORNERS).reshape(CELLS + 1, -1)
    a, b, c, d = (part.ravel() for part in
                  (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]))  # fmt: skip
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    vertices = np.stack([x, 0 * x - 0.1, z], 1)
    lining = np.zeros(len(triangles), np.bool_)
    if cut is not None:
        lining = vertices[triangles][:, :, 2].mean(1) < cut
    starts = np.where(np.arange(len(ARKIT) + 1) > ARKIT.index("jawOpen"), CORNERS, 0)
    return Mesh(
        vertices.astype(np.float32), triangles.astype(np.int32), lining, starts.astype(np.int32),
        np.arange(CORNERS, dtype=np.int32), delta.astype(np.float32), np.zeros((4, 3), np.float32),
        np.zeros((8, 8), np.float32), np.zeros((8, 8), np.float32),
    )  # fmt: skip


def paint(mesh: Mesh, share: np.ndarray | None = None) -> Skinning:
    """Where every vertex stands on both plates, opaque."""
    ones, plate = np.ones(CORNERS, np.float32), mesh.vertices[:, [0, 2]] * 1000
    return Skinning(plate, plate, 0 * ones if share is None else share, 0 * ones, ones)


def coarse(mesh: Mesh, skin: Skinning | None = None) -> tuple[Mesh, Skinning]:
    return coarse_mesh(mesh, skin or paint(mesh), mesh.vertices, ~mesh.lining)


def on(mesh: Mesh, values: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """Values of vertices between them, at spots (n, 2) of the sheet."""
    x, z = mesh.vertices[:, 0], mesh.vertices[:, 2]
    a, b, c = mesh.triangles.T
    area = (x[b] - x[a]) * (z[c] - z[a]) - (x[c] - x[a]) * (z[b] - z[a])
    px, pz = spots[:, :1] - x[a], spots[:, 1:] - z[a]
    of_b = (px * (z[c] - z[a]) - (x[c] - x[a]) * pz) / area
    of_c = ((x[b] - x[a]) * pz - px * (z[b] - z[a])) / area
    shares = np.stack([1 - of_b - of_c, of_b, of_c])
    best = shares.min(0).argmax(1)
    assert shares.min(0).max(1).min() > -1e-3, "a hole"
    corners = values[mesh.triangles[best]]
    weights = shares[:, np.arange(len(spots)), best]
    return np.einsum("kn,nkc->nc", weights, corners)


def bump(mesh: Mesh, width_m: float) -> np.ndarray:
    """Down by up to 5 mm around the middle."""
    far = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 2])
    return np.outer(-0.005 * np.exp(-((far / width_m) ** 2)), [0, 0, 1])


FLAT = sheet(np.zeros((CORNERS, 3)))


def test_a_sheet_that_moves_as_one_needs_few_triangles():
    mesh, skin = coarse(sheet(np.full((CORNERS, 3), 0.01)))
    assert len(mesh.triangles) < 0.4 * len(FLAT.triangles)
    assert len(skin.rest) == len(mesh.vertices) == mesh.triangles.max() + 1


@pytest.mark.parametrize("width_m", [0.002, 0.006, 0.02])
def test_every_vertex_that_is_gone_still_moves_as_it_did(width_m):
    delta = bump(FLAT, width_m)
    mesh, _ = coarse(sheet(delta))
    assert len(mesh.triangles) < 0.8 * len(FLAT.triangles)
    dense = np.zeros_like(mesh.vertices)
    dense[mesh.morph_vertices] = mesh.morph_deltas
    apart = on(mesh, dense, FLAT.vertices[:, [0, 2]]) - delta
    assert np.abs(apart).max() < SLIP_M


def test_vertices_stay_close_together_where_the_movement_is_rough():
    mesh, _ = coarse(sheet(bump(FLAT, 0.004)))
    left = [np.hypot(m.vertices[:, 0], m.vertices[:, 2]) for m in (mesh, FLAT)]
    near = [(far < 0.008).sum() for far in left]
    around = [((far >= 0.008) & (far < SIDE_M / 2)).sum() for far in left]
    assert near[0] / near[1] > 2 * around[0] / around[1]


def test_paint_that_changes_over_the_skin_changes_as_it_did():
    share = np.random.default_rng(1).random(CORNERS).astype(np.float32)
    mesh, skin = coarse(FLAT, paint(FLAT, share))
    apart = on(mesh, skin.open_share[:, None], FLAT.vertices[:, [0, 2]])[:, 0] - share
    assert np.abs(apart).max() < FADE


def test_the_lining_stays_one_and_no_gap_opens_to_it():
    whole = sheet(np.zeros((CORNERS, 3)), cut=0.0)
    mesh, _ = coarse(whole)
    assert 0 < mesh.lining.sum() < whole.lining.sum()
    spots = FLAT.vertices[:, [0, 2]]
    assert np.allclose(on(mesh, mesh.vertices, spots)[:, [0, 2]], spots, atol=1e-6)
    high = mesh.vertices[mesh.triangles][:, :, 2].mean(1)
    assert (high[mesh.lining] < 0).all()
