"""The hair of a head: grown by `hairstyles`, coloured hair by hair."""

import zlib
from typing import Any

import numpy as np

from render.bake.blender.strands import hair_material, strands_object, tints
from render.bake.growth import smooth
from render.bake.hairstyles import grow, hair_depth, hairline
from render.bake.skull import Skull, fit_skull

_EAR_MASK_M = 0.0035
"""A vertex this far off the skull belongs to an ear."""


def figure_skull(figure: Any) -> Skull:
    """The skull of a figure at rest."""
    quads = np.asarray(figure.faces)[np.asarray(figure.groups) == "body"]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return fit_skull(np.asarray(figure.rest), triangles, np.asarray(figure.eyes[0]).mean(axis=0))


def add_hair(figure: Any, vertices: np.ndarray, character: dict[str, Any]) -> list[Any]:
    """The hair as curve objects; it follows the skull at rest, which no expression moves."""
    hair = character["hair"]
    seed = zlib.crc32(character["name"].encode())
    grown = grow(hair["style"], figure_skull(figure), float(hair.get("part", 0.0)), seed)
    cropped = hair["style"] == "cropped"
    made = hair_material("hair", 0.45 if cropped else 0.22, 0.35 if cropped else 0.55)
    things = []
    for k, strands in enumerate(grown):
        tint = tints(hair["colour"], float(hair.get("grey", 0.0)), strands.lock, seed + k)
        things.append(strands_object(f"hair{k}", strands, tint, made))
    return things


def mark_scalp(body: Any, figure: Any, character: dict[str, Any]) -> None:
    """Writes the body's vertex attribute `scalp`: how much hair darkens the skin under it."""
    style = character["hair"]["style"]
    skull = figure_skull(figure)
    count = len(body.data.vertices)
    source = np.empty(count, np.int32)
    body.data.attributes["source"].data.foreach_get("value", source)
    points = np.asarray(figure.rest)[source]
    depth = hair_depth(skull, points, hairline(style))
    near = np.linalg.norm(points - skull.centre, axis=1) < 0.16 * skull.scale
    bare = np.abs(skull.height(points)) < _EAR_MASK_M * skull.scale
    strength = {"cropped": 0.92}.get(style, 0.80)
    scalp = strength * smooth(depth, 0.0, 0.014 if style == "cropped" else 0.010) * near * bare
    values = np.repeat(scalp[:, None], 3, axis=1).astype(np.float32)
    attribute = body.data.attributes.new("scalp", "FLOAT_VECTOR", "POINT")
    attribute.data.foreach_set("vector", values.ravel())
