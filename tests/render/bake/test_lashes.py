from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from render.bake.lashes import COLUMNS, lash_ribbons, lash_texture
from render.bake.lids import lid_margin, met
from render.bake.source import Move

WOMAN, MAN = {"name": "a", "body": {"sex": "female"}}, {"name": "a", "body": {"sex": "male"}}
EYES = [(eye, lid) for eye in (0, 1) for lid in ("upper", "lower")]
FIRST_HELPER, COLUMNS_OF_STRIP, ROWS_OF_STRIP = 14_000, 13, 5


def lid(eye: int, lid: str) -> np.ndarray:
    t = np.linspace(0.0, 1.0, len(lid_margin(eye, lid)))
    bow = np.sin(np.pi * t) * (0.006 if lid == "upper" else -0.004)
    x = 0.014 + 0.028 * t
    return np.stack([x if eye == 0 else -x, -0.125 + 0 * t, 0.669 + bow], 1)


def figure() -> Any:
    """Two pairs of lids and lash strips a millimetre off them, which a blink lowers or leaves."""
    rest = np.zeros((FIRST_HELPER + 4 * COLUMNS_OF_STRIP * ROWS_OF_STRIP, 3))
    moves = {name: np.zeros_like(rest) for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    faces, groups = [], []
    for part, (eye, which) in enumerate(EYES):
        margin = list(lid_margin(eye, which))
        rest[margin] = lid(eye, which)
        first = FIRST_HELPER + part * COLUMNS_OF_STRIP * ROWS_OF_STRIP
        grid = first + np.arange(COLUMNS_OF_STRIP * ROWS_OF_STRIP).reshape(ROWS_OF_STRIP, -1)
        line = lid(eye, which)[np.linspace(0, len(margin) - 1, COLUMNS_OF_STRIP).astype(int)]
        line[:, 0] = np.linspace(line[0, 0], line[-1, 0], COLUMNS_OF_STRIP)
        for k, row in enumerate(grid):
            up = 1 if which == "upper" else -1
            rest[row] = line + np.array([0.0, -0.001 * (k - 0.5), up * 0.001 * (k - 1)])
        if which == "upper":
            moves["eyeBlinkLeft" if eye == 0 else "eyeBlinkRight"][
                [*margin, *grid.ravel()], 2
            ] = -0.009
        for r in range(ROWS_OF_STRIP - 1):
            for c in range(COLUMNS_OF_STRIP - 1):
                faces.append([grid[r, c], grid[r, c + 1], grid[r + 1, c + 1], grid[r + 1, c]])
                groups.append(f"helper-{'lr'[eye]}-eyelashes-{2 if which == 'upper' else 1}")
    return SimpleNamespace(
        rest=rest,
        faces=np.array(faces),
        groups=groups,
        posed=lambda weights: rest + sum(w * moves[k] for k, w in weights.items()),
    )


def distance_to_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    a, b = line[:-1], line[1:]
    t = ((points[:, None] - a) * (b - a)).sum(2) / ((b - a) ** 2).sum(1)
    near = a + np.clip(t, 0, 1)[..., None] * (b - a)
    return np.linalg.norm(points[:, None] - near, axis=2).min(1)


@pytest.mark.parametrize("blink", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("eye", "which"), [(0, "upper"), (1, "upper"), (0, "lower"), (1, "lower")])
def test_lashes_stand_on_the_lid_however_far_it_closes(blink: float, eye: int, which: str) -> None:
    name, who = ("eyeBlinkLeft", "eyeBlinkRight")[eye], figure()
    ribbons = lash_ribbons(who, [name], WOMAN)
    moved = ribbons.vertices + blink * ribbons.deltas[0]
    # Four lids, four rows each: a lid's first row are its roots.
    order = [(0, "upper"), (1, "upper"), (0, "lower"), (1, "lower")].index((eye, which))
    roots = moved[order * 4 * COLUMNS :][:COLUMNS]
    margin = who.posed({name: blink})[list(lid_margin(eye, which))]
    assert distance_to_line(roots, margin).max() < 0.001


def test_lashes_tip_down_as_their_lid_comes_down() -> None:
    ribbons = lash_ribbons(figure(), ["eyeBlinkLeft"], WOMAN)
    roots, tips = slice(0, COLUMNS), slice(3 * COLUMNS, 4 * COLUMNS)
    rise = [
        (z[tips] - z[roots])
        for z in (ribbons.vertices[:, 2], (ribbons.vertices + ribbons.deltas[0])[:, 2])
    ]
    assert (rise[0] > 0.002).all()
    assert (rise[1] < rise[0] - 0.001).all()


def test_packed_deltas_are_the_ribbons_own_to_half_a_unit() -> None:
    ribbons, unit = lash_ribbons(figure(), ["eyeBlinkLeft", "eyeBlinkRight"], MAN), 1e-5
    arrays = ribbons.arrays(unit)
    starts = arrays["lash_morph_starts"]
    unpacked = np.zeros_like(ribbons.deltas)
    for k in range(2):
        part = slice(starts[k], starts[k + 1])
        unpacked[k, arrays["lash_morph_vertices"][part]] = arrays["lash_morph_deltas"][part] * unit
    assert np.abs(unpacked - ribbons.deltas).max() <= unit / 2 + 1e-9
    assert arrays["lash_triangles"].max() == len(ribbons.vertices) - 1


def test_the_texture_is_darkest_at_the_roots_and_a_womans_is_denser() -> None:
    woman, man = lash_texture(WOMAN), lash_texture(MAN)
    assert woman.dtype == np.uint8
    assert woman.shape == man.shape == (80, 256, 4)
    upper = woman[:40, 40:240, 3].mean(1)
    assert upper[-2] > 200
    assert upper[:4].mean() < 60
    assert woman[..., 3].mean() > man[..., 3].mean()
    np.testing.assert_array_equal(woman, lash_texture(WOMAN))


def test_a_blink_ends_where_the_lids_meet() -> None:
    who = figure()
    upper, lower = (list(lid_margin(0, which)) for which in ("upper", "lower"))
    far = np.zeros_like(who.rest)
    far[upper, 2] = -0.014
    closed = met(who.rest, Move(np.array(upper), far[upper]), 0, share=0.9)
    lids = who.rest.copy()
    lids[closed.vertices] += 0.9 * closed.by
    over = np.interp(lids[upper, 0], lids[lower, 0], lids[lower, 2]) - lids[upper, 2]
    assert np.abs(over[3:-3] - 0.0003).max() < 0.0003
