"""Renders the plates of a character: run by Blender's Python with a job file (`render.bake.plan`).

The job is JSON: `data` (unpacked MPFB folder), `character`, `camera` (focal, distance, height,
plate_px), and `plates`, a list of `render.bake.plan.PlateSpec` as dicts with the `file` to write.
For every plate done a line `presencia: NAME SECONDS` goes to stdout.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from render.bake.blender.beard import add_beard
from render.bake.blender.brows import add_brows
from render.bake.blender.clothes import add_clothes
from render.bake.blender.eyes import add_eyes
from render.bake.blender.hair import add_hair, mark_scalp
from render.bake.blender.light import add_camera, add_lights, set_colour
from render.bake.blender.mouth import add_teeth
from render.bake.blender.objects import mesh_object, subdivide
from render.bake.blender.skin import skin_material
from render.bake.figure import Figure
from render.bake.source import Floats, Source

_VERSION = (4, 5)
_BODY_FROM_M = 0.30  # nothing below is ever in a picture

Parts = dict[str, list[Any]]


class Studio:
    """A character before the camera: still parts, built once, and parts built for every pose."""

    def __init__(self, job: dict[str, Any]) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.character: dict[str, Any] = job["character"]
        self.figure = Figure(Source(Path(job["data"])), self.character)
        lens = job["camera"]
        self.camera = add_camera(lens["focal"], lens["distance"], lens["height"])
        self._plate_px = int(lens["plate_px"])
        middle = (self.figure.landmarks["mouth"] + self.figure.eyes[0].mean(0)) / 2
        add_lights(self.character, middle)
        set_colour()
        _set_up_cycles()
        rest = self.figure.rest
        self._still: Parts = {
            "hair": add_hair(self.figure, rest, self.character),
            "clothes": add_clothes(self.figure, rest, self.character),
        }
        self._moving: Parts = {}
        self._pose: str | None = None

    def render(self, plate: dict[str, Any]) -> None:
        """Render one plate to its file, and its depth (metres along y) beside it if asked."""
        self._take_pose(plate["pose"], plate["wrinkles"])
        for name, things in (self._still | self._moving).items():
            for thing in things:
                thing.hide_render = name in plate["hidden"]
                thing.visible_camera = name in plate["shown"]
        self._frame(plate)
        scene = bpy.context.scene
        scene.cycles.samples = int(plate["samples"])
        file = Path(plate["file"])
        scene.render.filepath = str(file)
        read_depth = _ask_for_depth(file.with_suffix(".depth")) if plate["depth"] else None
        bpy.ops.render.render(write_still=True)
        if read_depth is not None:
            np.save(file.with_suffix(".npy"), read_depth() - self.camera_distance)

    @property
    def camera_distance(self) -> float:
        """From the camera to y = 0, metres."""
        return -float(self.camera.location.y)

    def _take_pose(self, weights: dict[str, float], wrinkles: dict[str, float]) -> None:
        key = json.dumps([weights, wrinkles], sort_keys=True)
        if key == self._pose:
            return
        for thing in (t for things in self._moving.values() for t in things):
            bpy.data.objects.remove(thing)
        posed = self.figure.posed(weights)
        skin = skin_material(self.character, self.figure, wrinkles)
        body = mesh_object(
            self.figure, "body", ["body"], posed, keep=lambda c: bool(c[2] > _BODY_FROM_M)
        )
        subdivide(body, 2)
        body.data.materials.append(skin)
        mark_scalp(body, self.figure, self.character)
        self._moving = {"body": [body], "eyes": add_eyes(self.figure, posed, self.character)}
        self._moving |= _mouth(self.figure, posed, self.character)
        self._moving["brows"] = add_brows(self.figure, posed, self.character)
        if "beard" in self.character:
            self._moving["beard"] = add_beard(self.figure, posed, self.character)
        self._pose = key

    def _frame(self, plate: dict[str, Any]) -> None:
        left, top, width, height = plate["canvas"]
        scale = plate["scale"]
        render = bpy.context.scene.render
        render.resolution_x, render.resolution_y = round(width / scale), round(height / scale)
        x0, y0, x1, y1 = plate["box"]
        whole = (x0, y0, x1, y1) == (left, top, left + width, top + height)
        render.use_border = render.use_crop_to_border = not whole
        nudge = 0.01 * scale  # keeps a border on a pixel's edge from rounding to the next pixel
        render.border_min_x = (x0 - left + nudge) / width
        render.border_max_x = (x1 - left + nudge) / width
        render.border_min_y = (top + height - y1 + nudge) / height
        render.border_max_y = min((top + height - y0 + nudge) / height, 1.0)


def _mouth(figure: Figure, posed: Floats, character: dict[str, Any]) -> Parts:
    """Teeth with their gums, and tongue."""
    made = add_teeth(figure, posed, character)
    out: Parts = {"teeth_upper": [], "teeth_lower": [], "tongue": []}
    for name, thing in made.items():
        key = next((k for k in out if name.startswith(k)), None)
        if key is None:
            key = "teeth_lower" if "lower" in name else "teeth_upper"
        out[key] += thing if isinstance(thing, list) else [thing]
    return out


def _set_up_cycles() -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.015
    cycles.adaptive_min_samples = 12
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "ACCURATE"
    cycles.max_bounces, cycles.transparent_max_bounces = 6, 10
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.seed = 1
    render = scene.render
    render.film_transparent = True
    render.use_persistent_data = True
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.compression = 30
    render.dither_intensity = 0.0


def _ask_for_depth(stem: Path) -> Callable[[], Floats]:
    """Have the next render write its depth pass; returns what reads it: (h, w), metres."""
    scene = bpy.context.scene
    scene.view_layers[0].use_pass_z = True
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    layers = tree.nodes.new("CompositorNodeRLayers")
    tree.links.new(layers.outputs["Image"], tree.nodes.new("CompositorNodeComposite").inputs[0])
    writer = tree.nodes.new("CompositorNodeOutputFile")
    writer.base_path = str(stem.parent)
    writer.format.file_format, writer.format.color_depth = "OPEN_EXR", "32"
    writer.file_slots[0].path = stem.name
    tree.links.new(layers.outputs["Depth"], writer.inputs[0])

    def read() -> Floats:
        scene.use_nodes = False
        file = next(stem.parent.glob(stem.name + "*.exr"))
        image = bpy.data.images.load(str(file))
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        file.unlink()
        return pixels.reshape(height, width, -1)[::-1, :, 0]

    return read


def main(job_file: Path) -> None:
    """Render every plate of a job."""
    if bpy.app.version[:2] != _VERSION:
        sys.exit(f"this is Blender {bpy.app.version_string}; faces need 4.5")
    job = json.loads(job_file.read_text("utf-8"))
    studio = Studio(job)
    parent = os.getppid()
    for plate in job["plates"]:
        if os.getppid() != parent:
            sys.exit("whoever asked for the plates is gone")
        start = time.perf_counter()
        studio.render(plate)
        print(f"presencia: {plate['name']} {time.perf_counter() - start:.1f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
