"""Saves a call's face and voice as a video file, in sync by the sender's clock."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avatar.client.clips import RATE_HZ
from speech.errors import PresenciaError

_log = logging.getLogger(__name__)
_VIDEO_HZ = 90_000
_CODECS = {
    ".mp4": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx", "libopus"),
}
_VIDEO_OPTIONS = {
    "libx264": {"preset": "ultrafast", "crf": "20"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "b": "2M"},
}
_JITTER = RATE_HZ // 50
"""A packet's timestamp may be off by its sender's reports this much; beyond it is a gap."""
_LONGEST_GAP = 60 * RATE_HZ
_MAX_PICTURES = 100
"""Pictures that may wait for the encoder, 4 s of them: past it they are left out, never sound."""


class RecordingError(PresenciaError):
    """The call can't be saved."""


class Recorder:
    """A video file in the making. Encodes in its own thread; `with` closes it.

    The file begins with the first frame after both streams' first sender reports.

    Args:
        path: Its suffix chooses the format: .mp4 or .mkv (H.264, AAC), .webm (VP8, Opus).

    Raises:
        RecordingError: Unknown suffix, or the file can't be created.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in _CODECS:
            known = ", ".join(_CODECS)
            raise RecordingError(f"Can't save as {path.name}: use one of {known}.")
        self._video_codec, self._audio_codec = _CODECS[path.suffix.lower()]
        self._path = path
        try:
            path.open("wb").close()  # FFmpeg would find out with the first frame only
            self._container = av.open(str(path), "w")
        except OSError as error:
            raise RecordingError(f"Can't write {path}: {error.strerror}.") from None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._pending: list[Future[None]] = []
        self._audio: AudioStream | None = None
        self._video: VideoStream | None = None
        self._origin_s: float | None = None
        self._samples = 0
        self._last_pts = -1
        self._pictures: list[Future[None]] = []
        self._dropped = 0

    def hear(self, pcm: NDArray[np.int16], media_s: float) -> None:
        """Add sound.

        Args:
            pcm: int16 mono at 48 kHz, shape (samples,).
            media_s: Its first sample's time on the sender's clock.
        """
        self._submit(self._worker.submit(self._write_sound, pcm, media_s))

    def see(self, frame: av.VideoFrame, media_s: float) -> None:
        """Add a picture; `media_s` is its time on the sender's clock."""
        self._pictures = [future for future in self._pictures if not future.done()]
        if len(self._pictures) >= _MAX_PICTURES:
            self._dropped += 1
            return
        future = self._worker.submit(self._write_picture, frame, media_s)
        self._pictures.append(future)
        self._submit(future)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file.

        Raises:
            RecordingError: It could not be written, or nothing came to write.
        """
        self._worker.shutdown()
        try:
            for future in self._pending:
                future.result()
            self._finish()
        except (OSError, av.FFmpegError) as failure:
            if error is None:
                raise RecordingError(f"Can't write {self._path}: {failure}.") from None
        if self._dropped:
            _log.warning("recording left out pictures", extra={"pictures": self._dropped})

    @property
    def empty(self) -> bool:
        """True while nothing was recorded. The file is then not a video."""
        return self._origin_s is None

    def _submit(self, future: Future[None]) -> None:
        self._pending = [f for f in self._pending if not f.done() or f.exception()]
        self._pending.append(future)

    def _open_streams(self, width: int, height: int) -> tuple[VideoStream, AudioStream]:
        """Both at once: a container's header needs all of its streams."""
        video = self._container.add_stream(
            self._video_codec, rate=25, options=_VIDEO_OPTIONS[self._video_codec]
        )
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = Fraction(1, _VIDEO_HZ)
        audio = self._container.add_stream(self._audio_codec, rate=RATE_HZ, layout="mono")
        assert isinstance(audio, AudioStream)
        return video, audio

    def _write_picture(self, frame: av.VideoFrame, media_s: float) -> None:
        if self._video is None:
            self._video, self._audio = self._open_streams(frame.width, frame.height)
            self._origin_s = media_s
        assert self._origin_s is not None
        picture = frame.reformat(self._video.width, self._video.height, "yuv420p")
        self._last_pts = max(round((media_s - self._origin_s) * _VIDEO_HZ), self._last_pts + 1)
        picture.pts, picture.time_base = self._last_pts, Fraction(1, _VIDEO_HZ)
        self._container.mux(self._video.encode(picture))

    def _write_sound(self, pcm: NDArray[np.int16], media_s: float) -> None:
        if self._origin_s is None:
            return  # the file begins with a picture
        missing = round((media_s - self._origin_s) * RATE_HZ) - self._samples
        if missing < -len(pcm):
            return  # late: its place is written
        if _JITTER < missing < _LONGEST_GAP:
            self._write_pcm(np.zeros(missing, np.int16))
        self._write_pcm(pcm)

    def _write_pcm(self, pcm: NDArray[np.int16]) -> None:
        assert self._audio is not None
        frame = av.AudioFrame.from_ndarray(pcm[None], "s16", "mono")
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = self._samples
        self._samples += len(pcm)
        self._container.mux(self._audio.encode(frame))

    def _finish(self) -> None:
        for stream in (self._video, self._audio):
            if stream is not None:
                self._container.mux(stream.encode(None))
        if self._video is None:
            self._path.unlink(missing_ok=True)  # FFmpeg can't close a file without streams
            return
        self._container.close()
