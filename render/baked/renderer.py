"""The renderer of baked faces: poses in, I420 frames out, drawn in a thread of its own."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from render.baked.asset import BakedFace
from render.baked.compositor import Compositor, frame_scale
from render.baked.kernels import cache_kernels
from render.baked.scaled import ScaledFace
from render.baked.warp import CELL_PX
from render.types import ARKIT, FacePose, VideoFrame
from speech.errors import ConfigError

CANVAS_PER_FRAME_PX = 1.0
"""Canvas pixels per frame pixel. More costs time, and is no sharper to the eye."""


class BakedRenderer:
    """Draws a baked face in one frame size.

    One per session: it owns a canvas and a worker thread. The face and all that is derived from it
    for a size are shared. Use it as an async context manager to free the thread.

    Args:
        face: A loaded face.
        width: Of the frames, in pixels; a multiple of 16.
        height: The same.

    Raises:
        ConfigError: The size is not a multiple of 16.
    """

    def __init__(self, face: BakedFace, width: int, height: int) -> None:
        self._compositor = compositor(face, width, height)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="face")

    async def __aenter__(self) -> "BakedRenderer":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def render(self, poses: AsyncIterator[FacePose]) -> AsyncGenerator[VideoFrame, None]:
        """Yield one frame per pose, in order. Holds one pose and one frame at most.

        Raises:
            RenderError: A pose is malformed.
        """
        loop = asyncio.get_running_loop()
        async for pose in poses:
            i420, cpu_s = await loop.run_in_executor(self._worker, self._draw, pose)
            yield VideoFrame(i420, pose.at_sample, cpu_s)

    def _draw(self, pose: FacePose) -> tuple[NDArray[np.uint8], float]:
        started_s = time.thread_time()
        i420 = self._compositor.draw(pose)
        return i420, time.thread_time() - started_s


def warm(face: BakedFace, width: int, height: int, kernel_cache: Path | None = None) -> None:
    """Compile every kernel and prepare the face for a size. Blocking: call it in a thread.

    Args:
        face: A loaded face.
        width: Of the frames to come.
        height: The same.
        kernel_cache: Folder that keeps compiled kernels between runs, outside the source tree. A
            NUMBA_CACHE_DIR in the environment wins.
    """
    if kernel_cache is not None:
        cache_kernels(kernel_cache)
    frames = compositor(face, width, height)
    for weight in (1.0, 0.0):  # the second frame takes the way that asks what has changed
        weights = np.full(len(ARKIT), weight, np.float32)
        still = np.zeros(3, np.float32)
        frames.draw(FacePose(weights, still, still[:2], breath=weight, at_sample=0))


def compositor(face: BakedFace, width: int, height: int) -> Compositor:
    """What draws a face in one size, in the caller's thread.

    Raises:
        ConfigError: The size is not a multiple of 16.
    """
    if width % CELL_PX or height % CELL_PX or width <= 0 or height <= 0:
        raise ConfigError(f"Video size {width}x{height}: use multiples of {CELL_PX}")
    scale = min(1.0, frame_scale(face.camera.plate_px, width, height) * CANVAS_PER_FRAME_PX)
    return Compositor(_scaled(face, scale), width, height)


@lru_cache(maxsize=4)
def _scaled(face: BakedFace, scale: float) -> ScaledFace:
    return ScaledFace(face, scale)
