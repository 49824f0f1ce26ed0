"""Eyebrows, hair by hair."""

import zlib
from typing import Any

import numpy as np

from render.bake.blender.strands import hair_material, strands_object, tints
from render.bake.facial_hair import brow_strands


def add_brows(figure: Any, vertices: np.ndarray, character: dict[str, Any]) -> list[Any]:
    """The eyebrows of a posed figure."""
    brows, hair = character.get("brows") or {}, character["hair"]
    seed = zlib.crc32(character["name"].encode()) + 11
    strands = brow_strands(figure, np.asarray(vertices), brows, seed)
    colour = brows.get("colour") or hair["colour"]
    tint = tints(colour, 0.5 * float(hair.get("grey", 0.0)), strands.lock, seed)
    return [strands_object("brows", strands, tint, hair_material("brow", 0.75, 0.2))]
