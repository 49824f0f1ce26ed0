"""Writes a call down while it goes on, in a thread, so that a slow disk never holds it up."""

import asyncio
import logging
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Self

import av
import numpy as np

from avatar.recording.format import (
    ARRIVALS_FILE,
    AUDIO_FILE,
    ENDING,
    EVENTS_FILE,
    HEADER_FILE,
    SOUND,
    Entry,
    Header,
    Source,
    entry_of,
    folder_name,
    line_of,
)
from speech.stages import LISTENING_RATE_HZ
from speech.types import AudioFrame

_log = logging.getLogger(__name__)

FREE_BYTES = 1 << 30
"""A disk with less room than this is not recorded to: it is needed for other things."""

BACKLOG = 6000
"""Items that may wait to be written, about a minute of a call; a disk that slow is given up."""

_Arrival = tuple[float, AudioFrame]


class Recorder:
    """Records one call. Make one with `start`; always `close` or `discard` it.

    What goes wrong while recording ends the recording, never the call.

    Args:
        folder: The call's own, empty.
        header: What the call is.
        on_failure: Called on the event loop when nothing more can be recorded.

    Attributes:
        folder: Where it is.
        is_recording: Whether it still records.
    """

    def __init__(self, folder: Path, header: Header, on_failure: Callable[[], None]) -> None:
        self.folder = folder
        self.is_recording = True
        self._header = header
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._mic_sample = 0
        self._queue: SimpleQueue[_Arrival | Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="recorder")
        self._deletion = threading.Thread(target=self._delete, name="recorder-deletion")

    @classmethod
    def start(
        cls, root: Path, header: Header, on_failure: Callable[[], None] = lambda: None
    ) -> Self:
        """Begin to record into a new folder below `root`, which only this user can read.

        Raises:
            OSError: The folder can't be made, or the disk is full.
        """
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(root).free
        if free < FREE_BYTES:
            raise OSError(f"only {free >> 20} MB are free; recording needs {FREE_BYTES >> 20}")
        folder = root / folder_name(header)
        folder.mkdir(mode=0o700)
        with _private(folder / "call.part") as file:
            file.write(header.model_dump_json(indent=1).encode())
        (folder / "call.part").rename(folder / HEADER_FILE)
        recorder = cls(folder, header, on_failure)
        recorder._thread.start()
        return recorder

    def hear(self, frame: AudioFrame) -> None:
        """Keep a frame of the microphone, which has just come."""
        self._mic_sample = frame.start_sample + len(frame.pcm)
        self._put((self._now_s(), frame))

    def note(self, event: object, *, source: Source, played: int) -> None:
        """Keep an event, if it is not sound alone.

        Args:
            event: A frozen dataclass, or a wire message as JSON text.
            source: Who said it.
            played: Samples of the avatar's sound that have left.
        """
        if self.is_recording:
            entry = entry_of(
                event,
                source=source,
                at_s=self._now_s(),
                began_s=self._began_s,
                mic=self._mic_sample,
                played=played,
            )
            if entry.type not in SOUND:
                self._put(entry)

    def end(self, played: int) -> None:
        """Note that the call begins to end: what still comes is its aftermath."""
        self._put(Entry(round(self._now_s(), 6), "session", ENDING, {}, self._mic_sample, played))

    def close(self) -> None:
        """Write the rest, in the thread, and end; again is harmless."""
        if self.is_recording:
            self.is_recording = False
            self._queue.put(None)

    def discard(self) -> None:
        """Stop, and delete all that was recorded: the person has withdrawn. Again is harmless."""
        self.close()
        if self._deletion.ident is None:
            self._deletion.start()

    def wait(self) -> None:
        """Wait until everything is written, or deleted. Blocks; call it after `close`."""
        self._thread.join()
        if self._deletion.ident is not None:
            self._deletion.join()

    def _now_s(self) -> float:
        return self._loop.time() - self._began_s

    def _put(self, item: "_Arrival | Entry") -> None:
        if not self.is_recording:
            return
        if self._queue.qsize() >= BACKLOG:
            _log.error("recording stopped: the disk is too slow", extra=self._where())
            self.close()
            self._on_failure()
            return
        self._queue.put(item)

    def _write_all(self) -> None:
        try:
            with _Files(self.folder) as files:
                while (item := self._queue.get()) is not None:
                    files.write(item)
                    if self._queue.empty():
                        files.flush()
        except (OSError, av.FFmpegError):
            _log.exception("recording stopped", extra=self._where())
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(self._fail)

    def _delete(self) -> None:
        self._thread.join()
        try:
            shutil.rmtree(self.folder)
        except OSError:
            _log.exception("a withdrawn recording must be deleted by hand", extra=self._where())

    def _fail(self) -> None:
        if self.is_recording:
            self.is_recording = False
            self._on_failure()

    def _where(self) -> dict[str, str]:
        return {"call_id": self._header.call_id}


class _Files:
    """The files of a recording, open.

    FLAC packs 0.3 s at a time: that much of the voice may be missing when the process is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._events = _private(folder / EVENTS_FILE)
        self._arrivals = _private(folder / ARRIVALS_FILE)
        self._audio = _private(folder / AUDIO_FILE)
        self._container = av.open(self._audio, "w", format="flac", options={"flush_packets": "1"})
        self._stream = self._container.add_stream("flac", rate=LISTENING_RATE_HZ)
        self._stream.layout = "mono"
        self._stream.format = "s16"
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._container.mux(self._stream.encode(None) if self._written else [])
            self._container.close()
        finally:
            for file in (self._events, self._arrivals, self._audio):
                file.close()

    def write(self, item: "_Arrival | Entry") -> None:
        if isinstance(item, Entry):
            self._events.write(line_of(item).encode())
            return
        at_s, frame = item
        self._arrivals.write(f"{at_s:.6f},{frame.start_sample},{len(frame.pcm)}\n".encode())
        part = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(frame.pcm)[np.newaxis], format="s16", layout="mono"
        )
        part.sample_rate = LISTENING_RATE_HZ
        part.pts = self._written
        self._written += len(frame.pcm)
        self._container.mux(self._stream.encode(part))

    def flush(self) -> None:
        self._events.flush()
        self._arrivals.flush()
        self._audio.flush()


def _private(path: Path) -> IO[bytes]:
    """A new file that only this user can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
