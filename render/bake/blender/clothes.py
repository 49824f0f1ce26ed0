"""Clothes: the garment's shells as meshes, and cloth to make them of."""

import zlib
from typing import Any

import bpy
import numpy as np

from render.bake.blender.nodes import Graph, Socket, linear, material
from render.bake.blender.objects import subdivide
from render.bake.garment import Piece, pieces

_THICKNESS_M = 0.0012


def add_clothes(figure: Any, vertices: np.ndarray, character: dict[str, Any]) -> list[Any]:
    """The garment of a figure at rest, as mesh objects."""
    clothes = character["clothes"]
    first = linear(clothes["colour"])
    second = linear(clothes.get("second_colour", clothes["colour"]))
    seed = zlib.crc32(character["name"].encode())
    made: dict[tuple[str, bool], Any] = {}
    things = []
    for piece in pieces(figure, clothes, seed):
        key = piece.fabric, piece.second
        if key not in made:
            made[key] = cloth_material(piece.fabric, second if piece.second else first)
        things.append(_object(piece, made[key]))
    return things


def _object(piece: Piece, cloth: Any) -> Any:
    mesh = bpy.data.meshes.new("cloth")
    mesh.from_pydata(piece.cloth.vertices.tolist(), [], piece.cloth.quads.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(piece.cloth.quads), bool))
    weave = np.zeros((len(piece.cloth.vertices), 3), np.float32)
    weave[:, :2] = piece.cloth.weave
    attribute = mesh.attributes.new("weave", "FLOAT_VECTOR", "POINT")
    attribute.data.foreach_set("vector", weave.ravel())
    mesh.update()
    mesh.materials.append(cloth)
    thing = bpy.data.objects.new("cloth", mesh)
    bpy.context.scene.collection.objects.link(thing)
    if piece.fabric != "rib":
        solid = thing.modifiers.new("thickness", "SOLIDIFY")
        solid.thickness, solid.offset = _THICKNESS_M, 1.0
    subdivide(thing, 1)
    return thing


def cloth_material(fabric: str, colour: tuple[float, float, float]) -> Any:
    """Cloth of a colour (linear): "jersey", "fine_knit", "knit" or "rib"."""
    made, graph, surface = material(fabric)
    place = graph.node("NewGeometry").outputs["Position"]
    yarn = graph.noise(place, 1400, 2)
    worn = graph.noise(place, 45, 3)
    shade = graph.math(
        "MULTIPLY",
        graph.smooth(yarn, 0.3, 0.7, 0.82, 1.14),
        graph.smooth(worn, 0.3, 0.7, 0.95, 1.05),
    )
    height, dark = _weave(graph, fabric, yarn)
    tone = graph.mix(1.0, colour, graph.math("MULTIPLY", shade, dark), "MULTIPLY")
    inputs = {
        "Base Color": tone,
        "Roughness": 0.86,
        "Specular IOR Level": 0.25,
        "Sheen Weight": 0.25,
        "Sheen Roughness": 0.45,
        "Sheen Tint": tuple(min(1.0, 0.25 + c) for c in colour),
        "Normal": graph.bump(height, 0.9),
    }
    shader = graph.node("BsdfPrincipled", inputs)
    graph.set(surface, shader.outputs[0])
    return made


def _weave(graph: Graph, fabric: str, yarn: Socket) -> tuple[Socket, Socket]:
    """Height of the cloth in metres, and how much light its hollows keep."""
    weave = graph.node("SeparateXYZ", {0: graph.attribute("weave")})
    u, v = weave.outputs[0], weave.outputs[1]
    fuzz = graph.math("MULTIPLY", yarn, 1.5e-4)
    if fabric == "jersey":
        return fuzz, 1.0
    if fabric == "rib":
        across = graph.math("SINE", graph.math("MULTIPLY", u, 2 * np.pi / 0.0034))
        dark = graph.smooth(across, -1.0, 0.3, 0.72, 1.0)
        return graph.math("MULTIPLY_ADD", across, 4.5e-4, fuzz), dark
    pitch = 0.0042 if fabric == "knit" else 0.0026
    column = graph.math("PINGPONG", u, pitch / 2)
    slant = graph.math("MULTIPLY_ADD", column, 1.1, v)
    loops = graph.math("SINE", graph.math("MULTIPLY", slant, 2 * np.pi / (0.8 * pitch)))
    wale = graph.math("SINE", graph.math("MULTIPLY", column, 2 * np.pi / pitch))
    shape = graph.math("MULTIPLY", graph.math("MULTIPLY_ADD", loops, 0.35, 0.65), wale)
    dark = graph.smooth(shape, 0.0, 0.7, 0.70, 1.0)
    return graph.math("MULTIPLY_ADD", shape, 0.14 * pitch, fuzz), dark
