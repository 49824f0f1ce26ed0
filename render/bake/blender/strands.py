"""Strands of hair as Blender curves, and what they are made of."""

from typing import Any

import bpy
import numpy as np

from render.bake.blender.nodes import Graph, linear, material
from render.bake.growth import Strands

_GREY = np.array([0.40, 0.39, 0.37])
"""Reflectance of a white hair among others (linear)."""


def tints(hex_colour: str, grey: float, lock: np.ndarray, seed: int) -> np.ndarray:
    """A colour for each strand, float32 (n, 3), linear; a share `grey` of them have lost it."""
    rng = np.random.default_rng(seed)
    count = len(lock)
    shared = rng.normal(0.0, 0.25, int(lock.max(initial=0)) + 1)[lock, None]
    base = np.array(linear(hex_colour))
    warm = rng.normal(0.0, 0.06, (count, 1)) * np.array([1.0, 0.0, -1.0])
    own = base * np.exp(shared + rng.normal(0.0, 0.18, (count, 1))) * (1.0 + warm)
    white = _GREY * rng.uniform(0.75, 1.15, (count, 1)) * np.exp(0.5 * shared)
    # Hairs go grey one by one, and a few are half way.
    lost = (
        np.clip((grey + 0.5 * shared - rng.random((count, 1))) * 6.0 + 0.5, 0.0, 1.0)
        if grey > 0
        else 0.0
    )
    return np.asarray(np.clip(own + lost * (white - own), 0.0, 0.9), np.float32)


def strands_object(name: str, strands: Strands, tint: np.ndarray, made: Any) -> Any:
    """Strands as an object of the scene; `tint` (n, 3): the colour of each."""
    count, length, _ = strands.points.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([length] * count)
    curves.position_data.foreach_set("vector", strands.points.ravel())
    taper = np.linspace(1.0, strands.tip, length, dtype=np.float32)
    radius = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    radius.data.foreach_set("value", (strands.radius_m[:, None] * taper).ravel())
    colour = curves.attributes.new("tint", "FLOAT_VECTOR", "CURVE")
    colour.data.foreach_set("vector", np.ascontiguousarray(tint, np.float32).ravel())
    curves.materials.append(made)
    thing = bpy.data.objects.new(name, curves)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def hair_material(name: str, roughness: float = 0.32, shadow: float = 0.55) -> Any:
    """Hair in the colour of each strand's `tint`, darker by `shadow` at the root.

    Chiang et al. (2016), A practical and controllable hair and fur model, as Cycles has it.
    """
    made, graph, surface = material(name)
    graph.set(surface, _shader(graph, roughness, shadow))
    return made


def _shader(graph: Graph, roughness: float, shadow: float) -> Any:
    along = graph.node("HairInfo").outputs["Intercept"]
    light = graph.smooth(along, 0.0, 0.45, 1.0 - shadow, 1.0)
    colour = graph.mix(1.0, graph.attribute("tint"), light, "MULTIPLY")
    inputs = {
        "Color": colour,
        "Roughness": roughness,
        "Radial Roughness": 0.42,
        "Coat": 0.0,
        "IOR": 1.55,
        "Random Roughness": 0.2,
    }
    return graph.node("BsdfHairPrincipled", inputs, parametrization="COLOR").outputs[0]
