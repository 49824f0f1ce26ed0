# ruff: noqa: RUF001  # IPA has letters that look like others
"""Draws contact sheets of a face, and times it.

    python -m bench.face_sheet [--size 512x512] [--face models/faces/elena] [--out out]

Writes visemes, states, blink, head and sentence (one frame in 40 ms) as PNG, and prints
the CPU time per frame, idle and speaking.
"""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render.animator import FaceAnimator
from render.baked.asset import BakedFace
from render.baked.compositor import Compositor
from render.baked.renderer import compositor, warm
from render.lipsync import PhonemeLipSync
from render.types import ARKIT, SPEECH_CLOCK_HZ, FaceCues, FacePose, FaceState, ScheduledSpeech
from render.visemes import ARTICULATION, sides
from speech.phonemes import VISEMES
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk

SENTENCE = "h ə l oʊ _ m aɪ n eɪ m ɪ z ɛ l ɛ n ə _ h aʊ k æ n aɪ h ɛ l p j u t ə d eɪ"
FRAME = SPEECH_CLOCK_HZ // 25
STATES: tuple[FaceState, ...] = ("idle", "listening", "thinking", "speaking")
Picture = NDArray[np.uint8]


def pose(
    weights: dict[str, float] | NDArray[np.float32] | None = None,
    head: tuple[float, float, float] = (0, 0, 0),
    gaze: tuple[float, float] = (0, 0),
) -> FacePose:
    """A pose from a few weights (a name without a side means both) or all 52."""
    if isinstance(weights, np.ndarray):
        array = weights
    else:
        array = np.zeros(len(ARKIT), np.float32)
        for name, weight in (weights or {}).items():
            array[list(sides(name))] = weight
    return FacePose(
        array, np.radians(head).astype(np.float32), np.radians(gaze).astype(np.float32), 0.0, 0
    )


def sentence(phonemes: str = SENTENCE, each_ms: int = 75) -> SpeechChunk:
    """A chunk that says the phonemes ("_" is silence) over noise, at 24 kHz."""
    step = 24 * each_ms
    symbols = phonemes.split()
    pcm = np.random.default_rng(0).normal(0, 3000, step * len(symbols)).astype(np.int16)
    timings = []
    for k, symbol in enumerate(symbols):
        if symbol == "_":
            pcm[k * step : (k + 1) * step] = 0
        else:
            timings.append(PhonemeTiming(symbol, k * step, (k + 1) * step, len(symbol) == 2))
    return SpeechChunk(phonemes, AudioFrame(pcm, 24_000), tuple(timings))


def spoken() -> list[FacePose]:
    """Every frame of the sentence."""
    said = sentence()
    start = SPEECH_CLOCK_HZ
    end = start + round(said.audio.duration_s * SPEECH_CLOCK_HZ)
    cues = FaceCues(
        (ScheduledSpeech(PhonemeLipSync().animate(said), start, end),), ((0, "speaking"),)
    )
    animator = FaceAnimator(7)
    return [animator.pose(n, cues) for n in range(start - 5 * FRAME, end + 5 * FRAME, FRAME)]


def resting(state: FaceState, frames: int, step: int = FRAME) -> list[FacePose]:
    """Frames of a state without speech."""
    animator = FaceAnimator(7)
    first = 100 * SPEECH_CLOCK_HZ * (1 + STATES.index(state))
    cues = FaceCues((), ((0, state),))
    return [animator.pose(first + k * step, cues) for k in range(frames)]


def sheet(
    face: Compositor, poses: Iterable[FacePose], columns: int, crop: tuple[float, ...]
) -> Picture:
    """Draw poses into a grid; crop is x0, y0, x1, y1 in frame heights, x from the middle."""
    tiles = []
    for each in poses:
        picture = np.asarray(cv2.cvtColor(face.draw(each), cv2.COLOR_YUV2BGR_I420), np.uint8)
        height, width = picture.shape[:2]
        x0, x1 = (round(width / 2 + x * height) for x in (crop[0], crop[2]))
        y0, y1 = (round(y * height) for y in (crop[1], crop[3]))
        tiles.append(picture[y0:y1, x0:x1])
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)]
    return np.vstack(rows)


def cpu_ms(face: Compositor, poses: list[FacePose]) -> float:
    """Mean CPU time to draw a pose, after the first few."""
    for each in poses[:5]:
        face.draw(each)
    started = time.thread_time()
    for each in poses[5:]:
        face.draw(each)
    return (time.thread_time() - started) / len(poses[5:]) * 1e3


def main() -> None:
    """Write the sheets and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--face", type=Path, default=Path("models/faces/elena"))
    parser.add_argument("--out", type=Path, default=Path("out"))
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    args.out.mkdir(exist_ok=True)
    baked = BakedFace.load(args.face)
    started = time.perf_counter()
    warm(baked, width, height, args.out / "kernels")
    print(f"start-up {time.perf_counter() - started:.2f} s")
    face = compositor(baked, width, height)
    whole, eyes, mouth = (
        (-0.30, 0.02, 0.30, 0.75),
        (-0.2, 0.25, 0.2, 0.45),
        (-0.16, 0.44, 0.16, 0.7),
    )
    blinks = [pose({"eyeBlink": k / 9}) for k in range(10)]
    turns = [
        pose(head=h) for h in ((0, 0, 0), (8, 0, 0), (-8, 0, 0), (0, 7, 0), (0, -7, 0), (0, 0, 8))
    ]
    looks = [pose(gaze=g) for g in ((20, 0), (-20, 0), (0, 14), (0, -14), (20, 14), (-20, -14))]
    states = [p for s in STATES for p in resting(s, 6, 2 * SPEECH_CLOCK_HZ)]
    for name, poses, columns, crop in (
        ("visemes", [pose(row) for row in ARTICULATION.targets], 5, mouth),
        ("states", states, 6, whole),
        ("blink", blinks, 5, eyes),
        ("head", turns + looks, 6, whole),
        ("sentence", spoken(), 10, mouth),
    ):
        cv2.imwrite(str(args.out / f"{name}.png"), sheet(face, poses, columns, crop))
    print("visemes in order:", *VISEMES)
    for name, poses in (("idle", resting("listening", 200)), ("speaking", spoken())):
        print(f"{name:9} {cpu_ms(face, poses):5.2f} ms CPU a frame at {width}x{height}")
    animator, cues = FaceAnimator(7), FaceCues()
    started = time.thread_time()
    for k in range(500):
        animator.pose(k * FRAME, cues)
    print(f"pose      {(time.thread_time() - started) * 2:5.2f} ms")


if __name__ == "__main__":
    main()
