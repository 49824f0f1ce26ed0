"""The figure's parts as Blender objects."""

from collections.abc import Callable, Collection
from typing import Any

import bpy
import numpy as np

from render.bake.figure import Figure
from render.bake.source import Floats

Keep = Callable[[Floats], bool]
"""Tells from the centre of a face of the resting figure, (3,) metres, whether to keep it."""


def mesh_object(
    figure: Figure,
    name: str,
    groups: Collection[str],
    vertices: Floats,
    keep: Keep | None = None,
) -> Any:
    """A smooth mesh of some groups' faces, linked to the scene.

    Attributes on its points: `rest`, the vertex in the resting figure (metres), and `source`, its
    number in the figure.

    Args:
        figure: The character.
        name: The object's.
        groups: Which faces, by group.
        vertices: float (n, 3): all of the figure's vertices, posed.
        keep: Which of them to keep, if not all.
    """
    chosen = [
        i
        for i, group in enumerate(figure.groups)
        if group in groups and (keep is None or keep(figure.rest[figure.faces[i]].mean(0)))
    ]
    used, renumbered = np.unique(figure.faces[chosen], return_inverse=True)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices[used].tolist(), [], renumbered.reshape(-1, 4).tolist())
    layer = mesh.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", figure.uv[figure.face_uvs[chosen]].astype(np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(chosen), bool))
    rest = mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT")
    rest.data.foreach_set("vector", figure.rest[used].astype(np.float32).ravel())
    numbers = mesh.attributes.new("source", "INT", "POINT")
    numbers.data.foreach_set("value", used.astype(np.int32))
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def subdivide(thing: Any, levels: int) -> None:
    """Smooth an object by Catmull-Clark subdivision."""
    modifier = thing.modifiers.new("subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = levels
