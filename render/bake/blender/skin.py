"""The skin's material: painted maps over the face, and what is too fine or too wide to paint."""

import zlib
from typing import Any

import numpy as np

from render.bake.blender.nodes import Graph, Socket, linear, material, picture
from render.bake.face_map import FaceMap, face_map
from render.bake.skin_paint import SkinTraits, paint

# The mesh's texture space is stretched by about this much, sheet widths to a metre of skin.
_UV_PER_M = 0.95


def skin_material(character: dict[str, Any], figure: Any, wrinkles: dict[str, float]) -> Any:
    """Skin for a character.

    The mesh must carry a vertex attribute `rest` (metres), and may carry `scalp` (1 under hair).

    Args:
        character: the character file, as a dict.
        figure: the `Figure`: resting vertices, eyes and mask pictures.
        wrinkles: brows_up, brows_down, squint, smile, pucker, frown -> 0..1.
    """
    face = face_map(np.asarray(figure.rest), np.asarray(figure.eyes[0]))
    skin = character["skin"]
    made, graph, surface = material("skin")
    painted = paint(face, _traits(character), wrinkles)
    where = _canvas(graph, face)
    uv = graph.node("UVMap").outputs[0]
    masks = {name: _mask(graph, figure, name, uv) for name in ("lips", "inside-mouth")}
    lip = graph.smooth(masks["lips"], 0.12, 0.85)
    inside = masks["inside-mouth"]
    tone = np.array(linear(skin["tone"]))
    colour = _colour(graph, character, tone, _read(graph, "tint", painted.tint, where), lip, inside)
    rough = skin.get("roughness", 0.44)
    roughness = graph.math("ADD", rough, _read(graph, "gloss", painted.roughness, where))
    roughness = graph.math("MULTIPLY", roughness, graph.smooth(lip, 0, 1, 1, 0.72))
    roughness = graph.math("MULTIPLY", roughness, graph.smooth(inside, 0, 1, 1, 0.5))
    rim = _lid_rim(graph, figure)
    colour = graph.mix(graph.math("MULTIPLY", rim, 0.7), colour, _rim_colour(tone))
    roughness = graph.math("MULTIPLY", roughness, graph.smooth(rim, 0, 1, 1, 0.5))
    height = graph.math(
        "ADD", _read(graph, "height", painted.height, where), _fine(graph, uv, lip, skin, wrinkles)
    )
    light = float(np.clip(tone.mean() / 0.4, 0.15, 1.0))
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": roughness,
            "IOR": 1.42,
            "Specular IOR Level": 0.30 + 0.12 * light,
            "Subsurface Weight": graph.smooth(rim, 0, 1, 1, 0.35),
            "Subsurface Radius": (1.0, 0.36, 0.20) if light > 0.4 else (1.0, 0.45, 0.30),
            "Subsurface Scale": 0.0004 + 0.0015 * light,
            "Coat Weight": 0.03 + 0.06 * light,
            "Coat Roughness": 0.64 * rough,
            "Normal": graph.bump(height),
        },
        subsurface_method="RANDOM_WALK_SKIN",
    )
    graph.set(surface, shader.outputs[0])
    return made


def _lid_rim(graph: Graph, figure: Any) -> Any:
    """1 on the wet edges of the lids, which lie on the eyeballs."""
    centres, radius = figure.eyes
    rest = graph.attribute("rest")
    away = [
        graph.node("VectorMath", {0: rest, 1: tuple(centre)}, operation="DISTANCE").outputs["Value"]
        for centre in centres
    ]
    return graph.smooth(graph.math("MINIMUM", *away), 1.02 * radius, 1.09 * radius, 1, 0)


def _rim_colour(tone: np.ndarray) -> tuple[float, ...]:
    """Thin, wet and full of blood; in deep skin no lighter than the skin."""
    return tuple(tone * np.array([0.85, 0.62, 0.60]))


def _traits(character: dict[str, Any]) -> SkinTraits:
    skin = character["skin"]
    beard = character.get("beard") or {}
    return SkinTraits(
        redness=skin.get("redness", 0.4),
        freckles=skin.get("freckles", 0.1),
        lines=skin.get("lines", 0.1),
        stubble=float(beard.get("stubble", 0.0)),
        seed=zlib.crc32(character["name"].encode()),
    )


def _canvas(graph: Graph, face: FaceMap) -> Any:
    """Where on the painted pictures a point of the skin lies."""
    left, top = face.origin
    width, height = face.size_m
    rest = graph.node("SeparateXYZ", {0: graph.attribute("rest")})
    across = graph.math("MULTIPLY_ADD", rest.outputs[0], 1 / width, -left / width)
    up = graph.math("MULTIPLY_ADD", rest.outputs[2], 1 / height, (height - top) / height)
    return graph.node("CombineXYZ", {0: across, 1: up}).outputs[0]


def _read(graph: Graph, name: str, values: np.ndarray, where: Socket) -> Any:
    image = picture(name, values)
    node = graph.node(
        "TexImage", {"Vector": where}, image=image, interpolation="Cubic", extension="EXTEND"
    )
    return node.outputs[0]


def _mask(graph: Graph, figure: Any, name: str, uv: Socket) -> Any:
    import bpy

    image = bpy.data.images.load(str(figure.mask_path(name)), check_existing=True)
    image.colorspace_settings.name = "Non-Color"
    return graph.node("TexImage", {"Vector": uv}, image=image, interpolation="Cubic").outputs[0]


def _colour(
    graph: Graph,
    character: dict[str, Any],
    tone: np.ndarray,
    tint: Socket,
    lip: Socket,
    inside: Socket,
) -> Any:
    """Tone, tint, lips, the inside of the mouth, and shaded scalp under hair."""
    rest = graph.attribute("rest")
    skin = graph.mix(1.0, tuple(tone), tint, "MULTIPLY")
    uneven = graph.smooth(graph.noise(rest, 260, 4, 0.65), 0.25, 0.75, 0.93, 1.07)
    skin = graph.mix(1.0, skin, uneven, "MULTIPLY")
    lips = np.array(linear(character["skin"]["lips"]))
    patch = graph.noise(rest, 330, 3)
    red = graph.mix(patch, tuple(lips * 0.86), tuple(np.clip(lips * 1.12, 0, 1)))
    # The lips' edge is no line: skin shows through most near it.
    skin = graph.mix(graph.math("MULTIPLY", lip, 0.88), skin, red)
    skin = graph.mix(inside, skin, (0.30, 0.065, 0.055))
    hair = np.array(linear(character["hair"]["colour"])) * 0.8
    scalp = graph.node("SeparateXYZ", {0: graph.attribute("scalp")}).outputs[0]
    return graph.mix(scalp, skin, tuple(hair))


def _fine(
    graph: Graph, uv: Socket, lip: Socket, skin: dict[str, Any], wrinkles: dict[str, float]
) -> Any:
    """Height in metres of pores, of the fine lines between them, and of the lips' creases."""
    place = graph.node(
        "VectorMath", {0: uv, 1: (1 / _UV_PER_M,) * 3}, operation="MULTIPLY"
    ).outputs[0]
    pores = graph.node("TexVoronoi", {"Vector": place, "Scale": 900.0}, feature="F1").outputs[
        "Distance"
    ]
    pores = graph.smooth(pores, 0.0, 0.45, -1.0, 0.0)
    net = graph.math("SUBTRACT", graph.noise(place, 650, 5, 0.65), 0.5)
    rough = graph.math("SUBTRACT", graph.noise(place, 150, 4, 0.6), 0.5)
    lines = skin.get("lines", 0.1)
    total = graph.math("MULTIPLY", pores, 8e-5)
    total = graph.math("MULTIPLY_ADD", net, 2.0e-4 + 0.5e-4 * lines, total)
    total = graph.math("MULTIPLY_ADD", rough, 2.6e-4 + 2e-4 * lines, total)
    # The sheet's v runs across the face, its u down it.
    creased = graph.node("Mapping", {0: uv, "Scale": (130.0, 1150.0, 1.0)}).outputs[0]
    creases = graph.math("SUBTRACT", graph.noise(creased, 1.0, 3, 0.55), 0.5)
    depth = 5.5e-4 * (
        0.8 + 0.5 * lines + 1.3 * wrinkles.get("pucker", 0.0) - 0.3 * wrinkles.get("smile", 0.0)
    )
    plain = graph.math("MULTIPLY", total, graph.smooth(lip, 0, 1, 1, 0.35))
    return graph.math(
        "ADD", plain, graph.math("MULTIPLY", graph.math("MULTIPLY", creases, lip), depth)
    )
