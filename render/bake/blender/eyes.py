"""Eyeballs: sclera, iris in a cup, and a clear cornea that carries the catch-light."""

import math
from typing import Any

import bpy
import numpy as np

from render.bake.blender.nodes import Graph, Socket, linear, material

_IRIS_RAD = 0.44
_PUPIL = 0.155  # radius as a share of the eyeball's: 2 mm in soft room light
_AROUND = 96


def add_eyes(figure: Any, vertices: np.ndarray, character: dict[str, Any]) -> list[Any]:
    """Adds both eyes, turned as the posed vertices (n, 3) say.

    Returns:
        eye_l, cornea_l, eye_r, cornea_r.
    """
    centres, radius = figure.eyes
    eyeball, cornea = _eyeball_material(character), _cornea_material()
    made = []
    for side, centre in zip("lr", sorted(np.asarray(centres), key=lambda c: -c[0]), strict=True):
        group = f"helper-{side}-eye"
        used = np.unique(
            [v for f, g in zip(figure.faces, figure.groups, strict=True) if g == group for v in f]
        )
        turn, shift = _turn(np.asarray(figure.rest)[used], vertices[used])
        for name, profile, surface in (
            (f"eye_{side}", _globe, eyeball),
            (f"cornea_{side}", _bulge, cornea),
        ):
            thing = _turned(name, profile, radius)
            thing.matrix_world = _matrix(turn, centre + shift)
            thing.data.materials.append(surface)
            made.append(thing)
        made[-1].visible_shadow = False
    return made


def _turn(rest: np.ndarray, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation (3, 3) and shift (3,) that carry `rest` onto `posed` (Kabsch 1976)."""
    u, _, v = np.linalg.svd((rest - rest.mean(0)).T @ (posed - posed.mean(0)))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(v.T @ u.T))])
    return v.T @ flip @ u.T, posed.mean(0) - rest.mean(0)


def _matrix(turn: np.ndarray, centre: np.ndarray) -> Any:
    from mathutils import Matrix

    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, centre
    return Matrix(matrix.tolist())


def _globe(angle: float) -> float:
    """Distance from the centre, in radii: a globe whose iris is a shallow dish."""
    if angle >= _IRIS_RAD:
        return 1.0
    flat = math.cos(_IRIS_RAD) / math.cos(angle)
    return flat * (1 - 0.045 * (1 - (angle / _IRIS_RAD) ** 2))


def _bulge(angle: float) -> float:
    return 1.003 + 0.085 * math.exp(-((angle / 0.40) ** 2))


def _turned(name: str, profile: Any, radius: float) -> Any:
    """A surface of revolution about -y; attribute `local` holds its points in radii."""
    angles = np.concatenate([np.linspace(0.012, 0.6, 44), np.linspace(0.63, math.pi - 0.01, 34)])
    turn = 2 * math.pi * np.arange(_AROUND) / _AROUND
    far = np.array([profile(a) for a in angles])
    ring = np.stack([np.cos(turn), np.zeros(_AROUND), np.sin(turn)], 1)
    points = far[:, None, None] * (
        np.sin(angles)[:, None, None] * ring
        + np.cos(angles)[:, None, None] * np.array([0.0, -1.0, 0.0])
    )
    points = points.reshape(-1, 3)
    faces = [
        (
            (i + 1) * _AROUND + j,
            (i + 1) * _AROUND + (j + 1) % _AROUND,
            i * _AROUND + (j + 1) % _AROUND,
            i * _AROUND + j,
        )
        for i in range(len(angles) - 1)
        for j in range(_AROUND)
    ]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata((points * radius).tolist(), [], [*faces, tuple(range(_AROUND))])
    mesh.shade_smooth()
    mesh.attributes.new("local", "FLOAT_VECTOR", "POINT").data.foreach_set(
        "vector", points.astype(np.float32).ravel()
    )
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def _eyeball_material(character: dict[str, Any]) -> Any:
    made, graph, surface = material("eyeball")
    local = graph.attribute("local")
    at = graph.node("SeparateXYZ", {0: local})
    flat = graph.node("CombineXYZ", {0: at.outputs[0], 1: 0.0, 2: at.outputs[2]}).outputs[0]
    out = graph.node("VectorMath", {0: flat}, operation="LENGTH").outputs["Value"]
    edge = math.sin(_IRIS_RAD)
    colour, fibres = _iris(graph, character, at, flat, out, edge)
    limbus = graph.smooth(out, edge - 0.035, edge + 0.030)
    white = _sclera(graph, character, local, out)
    colour = graph.mix(limbus, colour, white)
    height = graph.math(
        "MULTIPLY", graph.math("MULTIPLY", fibres, graph.smooth(out, edge - 0.03, edge, 1, 0)), 2e-4
    )
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": 0.45,
            "Specular IOR Level": 0.2,
            "Subsurface Weight": graph.math("MULTIPLY", limbus, 0.5),
            "Subsurface Radius": (1.0, 0.55, 0.42),
            "Subsurface Scale": 0.0016,
            "Normal": graph.bump(height),
        },
    )
    graph.set(surface, shader.outputs[0])
    return made


def _iris(
    graph: Graph, character: dict[str, Any], at: Any, flat: Socket, out: Socket, edge: float
) -> tuple[Any, Any]:
    """Colour and fibre height: pupil, a lighter collarette, radial fibres, a dark limbal ring."""
    base = np.array(linear(character["eyes"]["iris"]))
    angle = graph.node("VectorMath", {0: flat}, operation="NORMALIZE").outputs[0]
    ray = graph.node("VectorMath", {0: angle, 1: (7.0, 7.0, 7.0)}, operation="MULTIPLY").outputs[0]
    ray = graph.node(
        "VectorMath",
        {
            0: ray,
            1: graph.node(
                "VectorMath", {0: flat, 1: (2.2, 2.2, 2.2)}, operation="MULTIPLY"
            ).outputs[0],
        },
        operation="ADD",
    ).outputs[0]
    fibres = graph.noise(ray, 1.9, 5, 0.68)
    blotch = graph.noise(flat, 5.0, 2)
    dark, pale = base * 0.32, np.clip(base * 1.15, 0, 1)
    colour = graph.mix(graph.smooth(fibres, 0.34, 0.68), tuple(dark), tuple(pale))
    warm = np.clip(base * np.array([1.45, 1.0, 0.65]), 0, 1)
    near = graph.smooth(out, _PUPIL + 0.03, _PUPIL + 0.13, 0.75, 0.0)
    colour = graph.mix(
        graph.math("MULTIPLY", near, graph.smooth(blotch, 0.3, 0.6, 0.5, 1)), colour, tuple(warm)
    )
    # The cornea gathers the key's light on the side of the iris away from it.
    across = graph.math(
        "MULTIPLY_ADD", at.outputs[0], 0.55, graph.math("MULTIPLY", at.outputs[2], -0.85)
    )
    lit = graph.smooth(across, -0.40, 0.40, 0.60, 1.35)
    colour = graph.mix(1.0, colour, lit, "MULTIPLY")
    colour = graph.mix(
        graph.smooth(out, edge - 0.11, edge - 0.005, 0, 0.86), colour, tuple(base * 0.12)
    )
    return graph.mix(
        graph.smooth(out, _PUPIL, _PUPIL + 0.022), (0.001, 0.001, 0.001), colour
    ), fibres


def _sclera(graph: Graph, character: dict[str, Any], local: Socket, out: Socket) -> Any:
    """Off-white, yellower with age, pink towards the corners, with faint veins."""
    age = character.get("skin", {}).get("lines", 0.1)
    white = (0.74, 0.715 - 0.02 * age, 0.685 - 0.07 * age)
    bent = graph.noise(local, 3.0, 4)
    place = graph.node(
        "VectorMath",
        {0: local, 1: graph.node("CombineXYZ", {0: bent, 1: bent, 2: bent}).outputs[0]},
        operation="ADD",
    ).outputs[0]
    branch = graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.noise(place, 6.0, 5, 0.6), 0.5))
    vein = graph.math(
        "MULTIPLY",
        graph.smooth(branch, 0.0, 0.022, 1, 0),
        graph.smooth(out, 0.48, 0.95, 0.05, 0.42),
    )
    colour = graph.mix(graph.smooth(out, 0.55, 1.0, 0, 0.55), white, (0.70, 0.52, 0.47))
    return graph.mix(vein, colour, (0.58, 0.22, 0.18))


def _cornea_material() -> Any:
    made, graph, surface = material("cornea")
    clear = graph.node("BsdfTransparent").outputs[0]
    gloss = graph.node("BsdfGlossy", {"Roughness": 0.025}).outputs[0]
    share = graph.node("Fresnel", {"IOR": 1.38}).outputs[0]
    graph.set(surface, graph.node("MixShader", {0: share, 1: clear, 2: gloss}).outputs[0])
    return made
