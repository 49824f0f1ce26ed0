"""What drawing a face costs: CPU of one thread, by state and size, and seconds to start."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from avatar.store import ModelStore
from bench.face.stage import FRAME, Actor, cpu_ms, resting
from render.animator import FaceAnimator
from render.baked.asset import BakedFace
from render.baked.renderer import warm
from render.types import FaceCues, FacePose, FaceState

SIZES: Mapping[str, tuple[int, int]] = {
    "512": (512, 512),
    "720p": (1280, 720),
    "1080p": (1920, 1088),
}
"""Frames come in multiples of 16, so the last has 8 rows more than its name."""

_RESTING: tuple[FaceState, ...] = ("idle", "listening", "thinking")
_START = "import sys; from bench.face.cost import start_s; print(start_s(sys.argv[1]))"


def costs(actor: Actor, spoken: Sequence[FacePose], seconds: float) -> dict[str, float]:
    """Median CPU milliseconds per frame, as `STATE_ms_per_frame_SIZE`.

    Args:
        actor: The face.
        spoken: Poses that speak.
        seconds: How much of each state to draw.
    """
    states: dict[str, Sequence[FacePose]] = {s: resting(s, seconds) for s in _RESTING}
    states["speaking"] = spoken
    out = {}
    for size, (width, height) in SIZES.items():
        stage = actor.stage(width, height)
        for state, poses in states.items():
            out[f"{state}_ms_per_frame_{size}"] = statistics.median(cpu_ms(stage, poses))
    return out


def pose_ms(frames: int = 500) -> float:
    """Mean CPU milliseconds to work out a pose."""
    animator, cues = FaceAnimator(1), FaceCues()
    started_s = time.thread_time()
    for k in range(frames):
        animator.pose(k * FRAME, cues)
    return (time.thread_time() - started_s) / frames * 1e3


def fresh_start_s(actor: Actor) -> float:
    """Seconds that a new process takes to load a face and draw it, kernels compiled before."""
    command = [sys.executable, "-c", _START, str(actor.folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return float(result.stdout)


def start_s(folder: str) -> float:
    """Seconds to load a face and make it ready at 512x512, in this process."""
    started_s = time.perf_counter()
    face = BakedFace.load(Path(folder))
    warm(face, *SIZES["512"], ModelStore.default().cache / "kernels")
    return time.perf_counter() - started_s
