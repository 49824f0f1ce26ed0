# ruff: noqa: RUF001  # IPA has letters that look like others
"""What a call does to what the face knows, while it moves, must not make it jump."""

import asyncio

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.playout import FRAME_SAMPLES, Playout
from render.animator import FaceAnimator
from render.lipsync import PhonemeLipSync
from render.types import ARKIT, SPEECH_CLOCK_HZ, Emotion, FaceCues
from render.visemes import sides
from speech.audio import resample_chunk
from tests.render.speaking import chunk

# As quick as lips are: a rounded mouth lets go within the 80 ms of an interruption.
LIPS = [i for n in ("mouthClose", "mouthPress", "mouthRollLower", "mouthRollUpper", "mouthFunnel",
                    "mouthPucker") for i in sides(n)]  # fmt: skip
QUICK = {i for n in ("eyeBlink", "eyeSquint", "eyeWide", "tongueOut") for i in sides(n)}
QUICK |= {i for i, name in enumerate(ARKIT) if name.startswith("eyeLook")} | set(LIPS)
SLOW = sorted(set(range(len(ARKIT))) - QUICK)
SAYINGS = [
    (resample_chunk(spoken, SPEECH_CLOCK_HZ), PhonemeLipSync().animate(spoken))
    for spoken in (chunk("h ə l ˈoʊ m aɪ n ˈeɪ m"), chunk("ˈɑ ɹ j ˈu p l ˈiz d", lead_in_ms=10))
]


def moved(seed: int, replies: list[tuple[int, int | None, str]]) -> list:
    """Poses every 40 ms of a call with replies: (pause ms, cut after ms or never, feeling)."""
    playout, poses = Playout(limit_s=60), []
    states = [(0, "listening")]
    animator = FaceAnimator(seed)

    def run(frames):
        for _ in range(frames):
            if playout.position % (2 * FRAME_SAMPLES) == 0:
                cues = FaceCues(playout.speech, tuple(states))
                poses.append(animator.pose(playout.position, cues))
            playout.next_frame()

    async def push(feeling):
        for spoken, track in SAYINGS:
            await playout.push(spoken, track, Emotion.of(**{feeling: 0.8}))

    for pause_ms, cut_ms, feeling in replies:
        run(pause_ms // 20)
        states.append((playout.position, "speaking"))
        asyncio.run(push(feeling))
        run((cut_ms or 2000) // 20)
        playout.clear()
        states.append((playout.position, "listening"))
    run(260)
    return poses


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.none() | st.integers(20, 2000),
            st.sampled_from(["happy", "sad", "surprised", "concerned"]),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_replies_that_come_and_are_cut_never_make_the_face_jump(seed, replies):
    poses = moved(seed, replies)
    steps = np.abs(np.diff([p.weights for p in poses], axis=0))
    assert steps[:, SLOW].max() < 0.34
    assert np.abs(np.diff([p.head for p in poses], axis=0)).max() < np.radians(2.6)
    lids = np.array([p.weights[ARKIT.index("eyeBlinkLeft")] for p in poses])
    opening = np.diff(lids)[np.diff(lids) < 0]
    assert opening.min(initial=0) > -0.62, "no blink is broken off"
