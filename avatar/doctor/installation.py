"""The installation: settings, persona, face, model files."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from avatar.dialogue.persona import load_persona
from avatar.doctor.findings import Finding, failed, good
from avatar.face.library import face_folder
from avatar.settings import Settings, load
from avatar.store import ModelStore
from avatar.writable import check_folders
from speech.errors import ModelStoreError, PresenciaError
from speech.types import Language

_RECOGNIZERS = {"moonshine": "moonshine-tiny-en", "whisper": "whisper-base"}
_VOICES = {"hibari": "hibari", "kokoro": "kokoro-82m-int8"}
_ALWAYS = ("silero-vad-v6", "smart-turn-v3.2")


def config(path: Path | None) -> tuple[Finding, Settings]:
    """Read the settings; where they are wrong, the defaults go on for all other findings."""
    try:
        settings = load(path)
        load_persona(settings.persona, get_args(Language))
        face_folder(settings.face.name)
        check_folders(settings)
    except PresenciaError as error:
        fix = "Mend what the message names; docs/configuration.md lists every setting."
        return failed("config", str(error), fix), Settings()
    where = str(path) if path else "presencia.toml" if Path("presencia.toml").is_file() else "none"
    return good("config", f"file: {where}; persona and face are there"), settings


def needed_models(settings: Settings) -> list[str]:
    """The models that calls with these settings load, by name."""
    listening, voice, llm = settings.listening, settings.voice, settings.llm
    names = [*_ALWAYS, *(["smollm2-135m"] if listening.judge_words else [])]
    for language in get_args(Language):
        names.append(_RECOGNIZERS[getattr(listening.recognizer, language)])
        names.append(_VOICES[getattr(voice.voice, language)])
    if llm.backend == "embedded":
        names += [llm.model, *([llm.smaller_model] if llm.smaller_model else [])]
    return list(dict.fromkeys(names))


def missing_bytes(store: ModelStore, settings: Settings) -> int:
    """Of the needed models that are not here yet."""
    names = (name for name in needed_models(settings) if name in store.names())
    return sum(store.entry(name).bytes for name in names if not store.is_fetched(name))


def models(store: ModelStore, settings: Settings, *, hash_them: bool) -> Iterator[Finding]:
    """A finding for every model that calls need.

    Args:
        store: Where they are.
        settings: Which ones.
        hash_them: Read every file and compare its sha256; else trust the record of the last time.
    """
    for name in needed_models(settings):
        label = f"model {name}"
        try:
            size = f"{store.entry(name).bytes / 1e6:.0f} MB"
            if hash_them:
                store.verify(name)
                yield good(label, f"{size}, checksum right")
            elif store.is_fetched(name):
                yield good(label, f"{size}, unchanged since it was checked")
            else:
                yield failed(label, f"{size}, not here", f"Run presencia models fetch {name}.")
        except ModelStoreError as error:
            yield failed(label, str(error), f"Run presencia models fetch {name}.")
