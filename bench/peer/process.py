"""The peer's processes: our language model behind HTTP, and the bot that asks it."""

import json
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.settings import Settings
from avatar.store import ModelStore
from bench.peer.environment import REPOSITORY
from bench.peer.settings import BOT_READY, LANGUAGE, LANGUAGE_MODEL_READY, PEER_THREADS
from bench.server_process import running
from speech.errors import CallError, ConfigError


def check(settings: Settings) -> None:
    """See that the peer can be given the same models.

    Raises:
        ConfigError: The settings name others.
    """
    chosen = (settings.listening.recognizer.en, settings.llm.backend, settings.voice.voice.en)
    if chosen != ("moonshine", "embedded", "hibari"):
        raise ConfigError(
            "`presencia bench peer` gives the peer moonshine, the embedded language model and "
            f"hibari; these settings have {', '.join(chosen)}."
        )


@asynccontextmanager
async def peer_serving(
    python: Path, settings: Settings, *, verbose: bool = False
) -> AsyncGenerator[str]:
    """Start the peer; yields its URL; stops it after. Its log is kept if anything goes wrong.

    Args:
        python: Interpreter of the peer's environment.
        settings: Ours: the peer gets the same models.
        verbose: Pass the log on to stderr.

    Raises:
        CallError: It did not start; the message says where the log is.
    """
    folder = Path(tempfile.mkdtemp(prefix="presencia-peer-"))
    try:
        async with AsyncExitStack() as stack:
            logs = [stack.enter_context((folder / f"{n}.log").open("w")) for n in ("llm", "bot")]
            llm = (sys.executable, "-m", "bench.peer.language_model")
            place = {"PYTHONPATH": str(REPOSITORY), "LOGURU_LEVEL": "WARNING", **PEER_THREADS}
            base_url = await stack.enter_async_context(
                running("language model", llm, LANGUAGE_MODEL_READY, place, verbose, logs[0])
            )
            bot = (str(python), "-m", "bench.peer.bot", _configuration(settings, base_url))
            yield await stack.enter_async_context(
                running("peer", bot, BOT_READY, place, verbose, logs[1])
            )
    except CallError as error:
        raise CallError(f"{error} Its log: {folder}") from None
    except BaseException:
        print(f"the peer's logs: {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _configuration(settings: Settings, base_url: str) -> str:
    """What `bench.peer.bot` is told, as JSON."""
    store = ModelStore.default()
    system, *examples = beginning(load_persona(settings.persona), LANGUAGE)
    return json.dumps(
        {
            "moonshine": str(store.path("moonshine-tiny-en")),
            "silero": str(store.path("silero-vad-v6") / "silero_vad_v6.onnx"),
            "hibari": str(store.path("hibari") / "hibari.onnx"),
            "speed": settings.voice.speed,
            "base_url": base_url,
            "model": settings.llm.model,
            "max_tokens": settings.llm.max_reply_tokens,
            "temperature": settings.llm.temperature,
            "instructions": system.content,
            "examples": [asdict(message) for message in examples],
        }
    )
