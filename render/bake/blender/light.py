"""The portrait's studio: one soft key, a gentle fill, a hair light; camera and colour."""

import math
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from render.bake.blender.nodes import Graph

Place = tuple[float, float, float]

# Name, place from the middle of the face (x right, y away, z up; metres), side of the square
# (metres), watts, colour.
_LIGHTS: tuple[tuple[str, Place, float, float, Place], ...] = (
    ("key", (-0.80, -1.0, 0.52), 0.65, 16.0, (1.0, 0.965, 0.93)),
    ("fill", (1.10, -1.00, 0.10), 1.10, 4.2, (0.95, 0.975, 1.0)),
    ("front", (0.10, -1.30, -0.05), 0.70, 2.0, (1.0, 0.97, 0.94)),
    ("hair", (0.50, 0.75, 0.75), 0.40, 12.0, (1.0, 0.98, 0.96)),
    ("edge", (-0.85, 0.65, 0.30), 0.60, 2.4, (0.97, 0.985, 1.0)),
)
_AROUND = 0.11
_FILL = ("fill", "front")


def add_lights(character: dict[str, Any], centre: np.ndarray) -> list[Any]:
    """Lights a face whose middle, between eyes and mouth, is at `centre` (3,), metres.

    The lights are the same for every plate, so that plates differ by the expression alone.
    """
    light = character.get("light", {})
    gain, fill = float(light.get("gain", 1.0)), float(light.get("fill", 1.0))
    made = []
    for name, place, side, watts, colour in _LIGHTS:
        lamp = bpy.data.lights.new(name, "AREA")
        lamp.size, lamp.color = side, colour
        lamp.energy = watts * gain * (fill if name in _FILL else 1.0)
        thing = bpy.data.objects.new(name, lamp)
        thing.location = np.asarray(centre) + np.array(place)
        aim = -np.array(place)
        thing.rotation_euler = Vector(aim).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(thing)
        made.append(thing)
    world = bpy.data.worlds.new("room")
    graph = Graph(world)
    strength = _AROUND * gain * fill
    shine = graph.node("Background", {"Color": (1.0, 0.985, 0.965), "Strength": strength})
    graph.set(graph.node("OutputWorld").inputs["Surface"], shine.outputs[0])
    bpy.context.scene.world = world
    return made


def add_camera(focal: float, distance: float, height: float) -> Any:
    """A pinhole at x = 0 that looks along +y: `focal` in picture heights, metres."""
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.sensor_height, lens.lens = "VERTICAL", 24.0, 24.0 * focal
    thing = bpy.data.objects.new("camera", lens)
    thing.location = (0.0, -distance, height)
    thing.rotation_euler = (math.pi / 2, 0.0, 0.0)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing
    return thing


def set_colour() -> None:
    """How light becomes 8-bit colour: the same for every plate."""
    view = bpy.context.scene.view_settings
    view.view_transform, view.look = "AgX", "AgX - Medium High Contrast"
    view.exposure, view.gamma = 0.16, 1.0
