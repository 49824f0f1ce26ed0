"""What a recording says about the call, the program and the machine."""

import hashlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from avatar.protocol.config import CallConfig
from avatar.recording.format import Clock, Header
from avatar.settings import RecordingSettings, Settings
from avatar.store.data import data_folder

_PACKAGES = (
    *("presencia", "aiortc", "av", "ctranslate2", "hibari-tts", "llvmlite", "numba", "numpy"),
    *("onnxruntime", "xllamacpp"),
)


def is_agreed(settings: RecordingSettings, config: CallConfig) -> bool:
    """Whether a call is to be recorded: its operator and its person must both have said so."""
    return settings.enabled and config.recording is True


def header(
    call_id: str,
    config: CallConfig,
    settings: Settings,
    *,
    seed: int,
    takes_video: bool,
    source: Literal["call", "replay"] = "call",
    clock: Clock = "real",
) -> Header:
    """Describe a call that begins now.

    Args:
        call_id: Its public name.
        config: What the client asked for.
        settings: The server's.
        seed: Of the face's movement.
        takes_video: Whether the client takes video.
        source: Who calls.
        clock: What the call is timed by.
    """
    return Header(
        source=source,
        clock=clock,
        call_id=call_id,
        started=datetime.now(UTC),
        language=config.language or settings.listening.language,
        session=config.model_dump(mode="json", exclude_none=True),
        takes_video=takes_video,
        settings=shaping(settings),
        versions=_versions(),
        machine={
            "cores": os.cpu_count() or 0,
            "processor": platform.machine(),
            "system": platform.system(),
            "node": hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        },
        seeds={"face": seed},
    )


def shaping(settings: Settings) -> dict[str, JsonValue]:
    """The settings that shape a conversation; neither addresses nor secrets are among them."""
    # Dumping by what is wanted, not by what is not: a secret that is added later stays out.
    kept: dict[str, JsonValue] = settings.model_dump(
        mode="json",
        include={
            "listening": True,
            "llm": {
                *("backend", "model", "threads", "context_tokens", "max_reply_tokens"),
                "temperature",
            },
            "voice": True,
            "face": {"width", "height", "speaking_fps", "idle_fps"},
        },
    )
    names = {"persona": Path(settings.persona).name, "face_name": Path(settings.face.name).name}
    return kept | names


def _versions() -> dict[str, str]:
    manifest = (data_folder("models") / "manifest.toml").read_bytes()
    return {
        "python": platform.python_version(),
        "models": hashlib.sha256(manifest).hexdigest(),
        **{package: version(package) for package in _PACKAGES},
    }
