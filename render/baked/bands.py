"""One region on a session's canvas: what it shows, and drawing it anew."""

import numpy as np

from render.baked.kernels import FAR, WITHIN, Box, Bytes, Coat, Floats, Ints, Target, as_words
from render.baked.morphing import moved_triangles, place
from render.baked.pictures import Layer, Patch
from render.baked.raster import SURFACE, draw
from render.baked.regions import Region
from render.baked.residuals import Tint
from render.baked.retouch import fade_in, shade_under, soften
from render.baked.scaled import ScaledFace

_EDGE_PX = 3  # beyond a pixel, that smoothing its edge looks at


class Band:
    """One region of a canvas.

    Nothing is ever drawn or marked outside its box, and beyond the box the canvas shows the skin at
    rest, so that what it shows depends on nothing but what is drawn now.

    Args:
        face: The face.
        region: Of that face.
        target: The canvas.
        tint: The skin that it is drawn with.
    """

    def __init__(self, face: ScaledFace, region: Region, target: Target, tint: Tint) -> None:
        self.region = region
        self.at = region.at_rest.copy()
        self._face, self._target, self._tint = face, target, tint
        self._open = as_words(face.open)
        self._limits = Box(0, region.top, target.depth.shape[1], region.bottom)
        self._box = Box(0, region.top, 0, region.top)
        self._shows: bytes | None = None
        self._never = np.zeros(len(region.skin), np.bool_)
        self._chosen = np.empty(len(region.skin), np.int32)
        self._count = 0

    def shows(self, *what: Floats | Ints) -> bool:
        """Whether it shows this already; from now on it does."""
        key = b"".join(part.tobytes() for part in what)
        same = key == self._shows
        self._shows = key
        return same

    def begin(self, weights: Floats, *, uncover: bool) -> None:
        """Blank what was drawn last, and move the skin.

        Args:
            weights: As rounded by the region.
            uncover: Whether to draw on all that covers eyeballs or the inside of the mouth.
        """
        region, target = self.region, self._target
        place(region.morphs, weights, self._face.lens, self.at)
        last = self._box
        self._count, self._box = moved_triangles(
            self.at, region.at_rest, region.mesh.triangles, region.skin,
            region.covers if uncover else self._never, self._limits, self._chosen,
        )  # fmt: skip
        for x0, y0, x1, y1 in (last, self._box):
            target.words[y0:y1, x0:x1] = self._tint.words[y0:y1, x0:x1]
            target.depth[y0:y1, x0:x1] = FAR
            target.mark[y0:y1, x0:x1] = 0

    def draw_skin(self, coat: Coat) -> None:
        """Draw the skin that moved."""
        region = self.region
        draw(
            self.at, region.mesh.triangles, self._chosen[: self._count], coat, self._tint.words,
            self._open, self._target, self._box, SURFACE, region.plain,
        )  # fmt: skip

    def draw_layer(self, layer: Layer, at: Floats, coat: Coat, mode: int) -> None:
        """Draw a layer at canvas positions."""
        self.draw(at, layer.card.triangles, layer.all, coat, layer.texture, mode)

    def draw(
        self, at: Floats, triangles: Ints, chosen: Ints, coat: Coat, texture: Bytes, mode: int
    ) -> None:
        """Draw triangles with one texture, as `raster.draw`."""
        words = as_words(texture)
        draw(at, triangles, chosen, coat, words, words, self._target, self._box, mode, 0)

    def fade_in(self, patch: Patch, opacity: float) -> None:
        """Blend a picture over what is drawn."""
        fade_in(self._target.picture, patch.picture, opacity, patch.left, patch.top, self._box)

    def forget_inside(self) -> None:
        """Let the skin be drawn over whatever is marked, however near that is."""
        x0, y0, x1, y1 = self._box
        self._target.depth[y0:y1, x0:x1][self._target.mark[y0:y1, x0:x1] == WITHIN] = FAR

    def finish(self, reach_m: float, strength: float) -> None:
        """Shade what is inside under the skin's edge, and smooth the edge."""
        lens = self._face.lens
        reach = reach_m * lens.zoom_y / (float(self._face.lips.line[1]) + lens.distance)
        limits, box = self._limits, self._box
        x0, y0 = max(box.x0, limits.x0 + _EDGE_PX), max(box.y0, limits.y0 + _EDGE_PX)
        x1, y1 = min(box.x1, limits.x1 - _EDGE_PX), min(box.y1, limits.y1 - _EDGE_PX)
        shade_under(self._target, reach, strength, x0, y0, x1, y1)
        soften(self._target, x0, y0, x1, y1)
