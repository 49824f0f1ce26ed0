"""Where things are on a face: landmarks, and a canvas over the face as the camera sees it.

Skin is painted on a canvas in the resting face's own coordinates, (x, z) in metres, seen from the
front. A vertex keeps its resting place as an attribute, so that paint moves with the skin.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_WIDTH_M = 0.24
_BELOW_EYES_M, _ABOVE_EYES_M = 0.25, 0.15

# Vertices of the MakeHuman base mesh, whose numbers no target changes.
_VERTICES = {
    "nasion": 132,
    "glabella": 227,
    "forehead": 3750,
    "hairline": 5243,
    "nose": 5054,
    "subnasale": 5072,
    "lip_top": 455,
    "lip_parting": 493,
    "lip_bottom": 492,
    "chin": 733,
    "chin_bottom": 991,
    "neck": 797,
    "corner": 7272,
    "inner_canthus": 7794,
    "outer_canthus": 7807,
}


@dataclass(frozen=True)
class FaceMap:
    """Landmarks of a resting face: name -> (x, y, z) in metres. Paired ones are those at x > 0."""

    points: dict[str, Floats]
    eye: Floats
    scale: float
    texels_per_m: int = 4000

    @property
    def origin(self) -> tuple[float, float]:
        """(x, z) of the canvas's top left corner."""
        return -_WIDTH_M / 2, float(self.eye[2]) + _ABOVE_EYES_M

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height of the canvas in metres."""
        return _WIDTH_M, _ABOVE_EYES_M + _BELOW_EYES_M

    def place(self, name: str, x_mm: float = 0.0, z_mm: float = 0.0) -> tuple[float, float]:
        """(x, z) of a landmark, moved outwards and upwards by millimetres of an average face."""
        x, _, z = self.eye if name == "eye" else self.points[name]
        return float(x) + x_mm * 1e-3 * self.scale, float(z) + z_mm * 1e-3 * self.scale

    def grid(self) -> tuple[Floats, Floats]:
        """The texels' x, (1, W), and z, (H, 1)."""
        left, top = self.origin
        width, height = (round(length * self.texels_per_m) for length in self.size_m)
        x = left + (np.arange(width, dtype=np.float32) + 0.5) / self.texels_per_m
        z = top - (np.arange(height, dtype=np.float32) + 0.5) / self.texels_per_m
        return x[None, :].astype(np.float32), z[:, None].astype(np.float32)


def face_map(
    rest: npt.NDArray[np.float64], eyes: npt.NDArray[np.float64], texels_per_m: int = 4000
) -> FaceMap:
    """Reads the landmarks of a resting face.

    Args:
        rest: float (n, 3), metres, z up, the face looks along -y.
        eyes: centres of both eyeballs, float (2, 3).
        texels_per_m: how fine its canvas is; two texels to a pixel of a 1024 pixel plate.
    """
    eye = eyes[int(np.argmax(eyes[:, 0]))].astype(np.float32)
    points = {name: rest[index].astype(np.float32) for name, index in _VERTICES.items()}
    # An average face of this mesh has its eyes 57 mm apart.
    return FaceMap(points, eye, float(eye[0]) / 0.0285, texels_per_m)


def smooth_noise(shape: tuple[int, int], texels: float, rng: np.random.Generator) -> Floats:
    """Noise of mean 0 and deviation 1, float32 `shape`, whose blobs are about `texels` wide."""
    rows, columns = (int(side / texels) + 4 for side in shape)
    lattice = rng.standard_normal((rows, columns)).astype(np.float32)
    grown = _resize(_resize(lattice, shape[0], 0, texels), shape[1], 1, texels)
    return np.asarray(grown / (grown.std() + 1e-6), np.float32)


def fractal(
    shape: tuple[int, int], texels: float, octaves: int, rng: np.random.Generator
) -> Floats:
    """Sum of noises, each half as wide and 0.6 as strong as the last; deviation 1."""
    layers = [0.6**i * smooth_noise(shape, texels / 2**i, rng) for i in range(octaves)]
    total = np.sum(layers, axis=0)
    return np.asarray(total / total.std(), np.float32)


def _resize(values: Floats, count: int, axis: int, texels: float) -> Floats:
    """Reads `count` values, `texels` to a lattice step, along an axis with a cubic B-spline."""
    position = np.arange(count, dtype=np.float32) / texels + 1
    start = position.astype(int)
    t = position - start
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    along = (slice(None), None) if axis == 0 else (None, slice(None))
    total = sum(
        weight[along] * np.take(values, start - 1 + i, axis=axis)
        for i, weight in enumerate(weights)
    )
    return np.asarray(total, np.float32)
