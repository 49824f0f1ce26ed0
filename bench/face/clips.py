"""A sample of a face that talks, as a video file with sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from bench.face.stage import FPS, FRAME, Performance
from render.baked.compositor import Compositor
from render.types import SPEECH_CLOCK_HZ

_VIDEO = ("libx264", {"preset": "medium", "crf": "23", "movflags": "+faststart"})
_AUDIO_BPS = 64_000
_AUDIO_SAMPLES = 1024


def write_clip(stage: Compositor, performance: Performance, seconds: float, path: Path) -> None:
    """Write the beginning of a performance as MP4 (H.264, AAC).

    Args:
        stage: Draws the face.
        performance: What it says.
        seconds: Of it, from the first frame; less if there is less.
        path: To write.
    """
    poses = performance.poses[: round(seconds * FPS)]
    first = poses[0].at_sample
    length = len(poses) * FRAME
    sound = np.zeros(length, np.int16)
    for start, chunk in zip(performance.starts, performance.chunks, strict=True):
        part = chunk.audio.pcm[: max(0, length - (start - first))]
        sound[start - first : start - first + len(part)] = part
    fade = SPEECH_CLOCK_HZ // 4
    sound[-fade:] = sound[-fade:] * np.linspace(1, 0, fade)
    with av.open(str(path), "w") as container:
        video = container.add_stream(_VIDEO[0], rate=FPS, options=_VIDEO[1])
        assert isinstance(video, VideoStream)
        audio = container.add_stream("aac", rate=SPEECH_CLOCK_HZ, layout="mono")
        assert isinstance(audio, AudioStream)
        audio.bit_rate = _AUDIO_BPS
        for number, pose in enumerate(poses):
            i420 = stage.draw(pose)
            height = i420.shape[0] * 2 // 3
            if number == 0:
                video.width, video.height, video.pix_fmt = i420.shape[1], height, "yuv420p"
            frame = av.VideoFrame.from_ndarray(i420, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start in range(0, length, _AUDIO_SAMPLES):
            heard = av.AudioFrame.from_ndarray(
                sound[None, start : start + _AUDIO_SAMPLES], "s16", "mono"
            )
            heard.sample_rate, heard.pts = SPEECH_CLOCK_HZ, start
            heard.time_base = Fraction(1, SPEECH_CLOCK_HZ)
            container.mux(audio.encode(heard))
        container.mux(audio.encode(None))
