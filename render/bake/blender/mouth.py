"""Teeth, gums and tongue."""

import zlib
from typing import Any

import bpy
import numpy as np

from render.bake.blender.nodes import material
from render.bake.blender.objects import mesh_object, subdivide
from render.bake.figure import Figure
from render.bake.source import Floats
from render.bake.teeth import Surface, arch, gum, teeth

_TONGUE_TIP_M = 0.014


def add_teeth(figure: Figure, vertices: Floats, character: dict[str, Any]) -> dict[str, Any]:
    """Adds teeth and tongue, moved as the posed vertices (n, 3) say.

    Returns:
        teeth_upper, gum_upper, teeth_lower, gum_lower and tongue.
    """
    rng = np.random.default_rng(zlib.crc32(character["name"].encode()) + 1)
    age = float(character["skin"].get("lines", 0.1))
    enamel, pink = _enamel(age), _gum_material(character)
    parting = float(figure.landmarks["mouth"][2])
    scale = float(figure.eyes[0][:, 0].max()) / 0.0285 * 0.96
    made = {}
    for part in ("upper", "lower"):
        used = figure.members(f"helper-{part}-teeth")
        move = _affine(figure.rest[used], vertices[used])
        curve = arch(figure.rest[used], parting, part == "upper")
        for name, surface, look in (
            (f"teeth_{part}", teeth(curve, rng, scale), enamel),
            (f"gum_{part}", gum(curve, scale), pink),
        ):
            made[name] = _object(name, surface, move)
            made[name].data.materials.append(look)
    tongue = mesh_object(figure, "tongue", ["helper-tongue"], _pointed_tongue(figure, vertices))
    subdivide(tongue, 2)
    tongue.data.materials.append(_tongue_material())
    return made | {"tongue": tongue}


def _pointed_tongue(figure: Figure, vertices: Floats) -> Floats:
    """The posed vertices, the tongue's tip rounded: MakeHuman's ends as broad as it began."""
    used = figure.members("helper-tongue")
    out = vertices.copy()
    behind = vertices[used, 1] - vertices[used, 1].min()
    tip = np.clip(1 - behind / _TONGUE_TIP_M, 0, 1)
    out[used, 0] *= np.sqrt(1 - 0.75 * tip**2)
    return out


def _affine(rest: Floats, posed: Floats) -> Floats:
    """The (4, 3) matrix that carries `rest` (n, 3) onto `posed` with least error."""
    fit = np.linalg.lstsq(np.c_[rest, np.ones(len(rest))], posed, rcond=None)[0]
    return np.asarray(fit, np.float64)


def _object(name: str, surface: Surface, move: Floats) -> Any:
    points = np.c_[surface.points, np.ones(len(surface.points))] @ move
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], surface.quads)
    mesh.shade_smooth()
    for trait, values in (("edge", surface.edge), ("shade", surface.shade)):
        mesh.attributes.new(trait, "FLOAT", "POINT").data.foreach_set(
            "value", values.astype(np.float32)
        )
    rest = mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT")
    rest.data.foreach_set("vector", surface.points.astype(np.float32).ravel())
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    subdivide(thing, 1)
    return thing


def _enamel(age: float) -> Any:
    """Ivory at the neck, paler in the middle, bluish and see-through at the edge."""
    made, graph, surface = material("enamel")
    edge = graph.node("Attribute", attribute_name="edge").outputs["Fac"]
    shade = graph.node("Attribute", attribute_name="shade").outputs["Fac"]
    rest = graph.attribute("rest")
    middle = np.array([0.86, 0.79, 0.67]) * (1 - np.array([0.04, 0.08, 0.16]) * age)
    neck, tip = middle * (0.90, 0.80, 0.66), middle * (0.86, 0.90, 0.98)
    colour = graph.mix(graph.smooth(edge, 0.0, 0.55), tuple(neck), tuple(middle))
    colour = graph.mix(graph.smooth(edge, 0.80, 1.0, 0, 0.8), colour, tuple(tip))
    colour = graph.mix(graph.math("MULTIPLY", shade, 0.35), colour, tuple(neck))
    bands = graph.node("Mapping", {0: rest, "Scale": (900.0, 900.0, 160.0)}).outputs[0]
    colour = graph.mix(
        1.0, colour, graph.smooth(graph.noise(bands, 1.0, 3), 0.3, 0.7, 0.95, 1.04), "MULTIPLY"
    )
    height = graph.math("MULTIPLY", graph.noise(rest, 420, 3), 6e-5)
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": 0.28,
            "IOR": 1.55,
            "Specular IOR Level": 0.4,
            "Subsurface Weight": 0.75,
            "Subsurface Radius": (1.0, 0.75, 0.55),
            "Subsurface Scale": 0.0014,
            "Normal": graph.bump(height),
        },
    )
    graph.set(surface, shader.outputs[0])
    return made


def _gum_material(character: dict[str, Any]) -> Any:
    made, graph, surface = material("gum")
    rest = graph.attribute("rest")
    spot = graph.noise(rest, 380, 4)
    colour = graph.mix(graph.smooth(spot, 0.3, 0.7), (0.46, 0.16, 0.145), (0.58, 0.25, 0.22))
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": 0.25,
            "Subsurface Weight": 1.0,
            "Subsurface Radius": (1.0, 0.35, 0.25),
            "Subsurface Scale": 0.0018,
            "Normal": graph.bump(graph.math("MULTIPLY", graph.noise(rest, 900, 3), 1.5e-4)),
        },
    )
    graph.set(surface, shader.outputs[0])
    return made


def _tongue_material() -> Any:
    """Papillae, a furrow down the middle, paler on top."""
    made, graph, surface = material("tongue")
    rest = graph.attribute("rest")
    at = graph.node("SeparateXYZ", {0: rest})
    furrow = graph.smooth(graph.math("ABSOLUTE", at.outputs[0]), 0.0, 0.005, 1, 0)
    spot = graph.noise(rest, 240, 4)
    colour = graph.mix(graph.smooth(spot, 0.3, 0.7), (0.42, 0.135, 0.12), (0.52, 0.215, 0.19))
    colour = graph.mix(graph.math("MULTIPLY", furrow, 0.4), colour, (0.30, 0.07, 0.06))
    papillae = graph.node("TexVoronoi", {"Vector": rest, "Scale": 1300.0}).outputs["Distance"]
    height = graph.math("MULTIPLY", papillae, -2.2e-4)
    height = graph.math("MULTIPLY_ADD", furrow, -4e-4, height)
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": 0.5,
            "Subsurface Weight": 1.0,
            "Subsurface Radius": (1.0, 0.35, 0.25),
            "Subsurface Scale": 0.002,
            "Normal": graph.bump(height),
        },
    )
    graph.set(surface, shader.outputs[0])
    return made
