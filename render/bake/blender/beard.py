"""A short beard, hair by hair."""

import zlib
from typing import Any

import numpy as np

from render.bake.blender.strands import hair_material, strands_object, tints
from render.bake.facial_hair import beard_strands


def add_beard(figure: Any, vertices: np.ndarray, character: dict[str, Any]) -> list[Any]:
    """The beard of a posed figure that has one."""
    beard, hair = character.get("beard"), character["hair"]
    if not beard:
        return []
    seed = zlib.crc32(character["name"].encode()) + 23
    strands = beard_strands(figure, np.asarray(vertices), beard, seed)
    colour = beard.get("colour") or hair["colour"]
    tint = tints(colour, float(hair.get("grey", 0.0)), strands.lock, seed)
    return [strands_object("beard", strands, tint, hair_material("beard", 0.45, 0.2))]
