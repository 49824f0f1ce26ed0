"""Shader nodes in few words: a graph whose inputs are numbers, colours or other nodes' outputs."""

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

Socket = Any  # a node's output, a number, or a tuple of numbers


class Graph:
    """A material's or world's node tree, written from scratch."""

    def __init__(self, owner: Any) -> None:
        owner.use_nodes = True
        self.tree = owner.node_tree
        self.tree.nodes.clear()

    def node(self, kind: str, inputs: Mapping[Any, Socket] | None = None, **attributes: Any) -> Any:
        """A new node of `kind` (without "ShaderNode") with its attributes and inputs set."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in attributes.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self.set(node.inputs[key], value)
        return node

    def set(self, socket: Any, value: Socket) -> None:
        """Links or sets one input."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif socket.type == "RGBA" and not isinstance(value, int | float):
            socket.default_value = (*value[:3], 1.0)
        else:
            socket.default_value = value

    def math(self, operation: str, a: Socket, b: Socket = 0.0, c: Socket = 0.0) -> Any:
        """The output of one arithmetic node."""
        return self.node("Math", {0: a, 1: b, 2: c}, operation=operation).outputs[0]

    def mix(self, factor: Socket, a: Socket, b: Socket, blend: str = "MIX") -> Any:
        """Colour `a` towards `b`."""
        node = self.node("Mix", data_type="RGBA", blend_type=blend)
        self.set(node.inputs[0], factor)
        self.set(node.inputs[6], a)
        self.set(node.inputs[7], b)
        return node.outputs[2]

    def smooth(
        self, value: Socket, start: float, end: float, low: float = 0.0, high: float = 1.0
    ) -> Any:
        """`value` from [start, end] to [low, high] with soft ends."""
        limits = {"From Min": start, "From Max": end, "To Min": low, "To Max": high}
        node = self.node("MapRange", {"Value": value} | limits, interpolation_type="SMOOTHSTEP")
        return node.outputs[0]

    def noise(
        self, vector: Socket, scale: float, detail: float = 3.0, roughness: float = 0.55
    ) -> Any:
        """Fractal noise around 0.5."""
        inputs = {"Vector": vector, "Scale": scale, "Detail": detail, "Roughness": roughness}
        return self.node("TexNoise", inputs).outputs["Fac"]

    def attribute(self, name: str) -> Any:
        """A vertex attribute as a vector."""
        return self.node("Attribute", attribute_name=name).outputs["Vector"]

    def bump(self, height_m: Socket, strength: float = 1.0, normal: Socket | None = None) -> Any:
        """A normal bent by a height in metres."""
        node = self.node("Bump", {"Height": height_m, "Strength": strength, "Distance": 1.0})
        if normal is not None:
            self.set(node.inputs["Normal"], normal)
        return node.outputs[0]


def material(name: str) -> tuple[Any, Graph, Any]:
    """A new material, its graph, and its surface input."""
    made = bpy.data.materials.new(name)
    graph = Graph(made)
    return made, graph, graph.node("OutputMaterial").inputs["Surface"]


def picture(name: str, values: np.ndarray) -> Any:
    """A float image (H, W) or (H, W, 3), row 0 at the top, linear values, as a Blender image."""
    height, width = values.shape[:2]
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = values if values.ndim == 3 else values[..., None]
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    image.pixels.foreach_set(np.ascontiguousarray(rgba[::-1]).ravel())
    image.update()
    return image


def linear(hex_colour: str) -> tuple[float, float, float]:
    """Linear RGB of an sRGB colour written as #rrggbb (IEC 61966-2-1)."""
    digits = hex_colour.lstrip("#")
    values = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return red, green, blue
