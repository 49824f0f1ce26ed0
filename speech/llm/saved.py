"""Beginnings of prompts that a language model has read, kept in files.

Reading a persona takes a 0.5B model seven seconds of one slow core; loading what it made of it
takes 25 ms. So each beginning is read once on a machine, not once a start.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from speech.errors import LanguageModelError
from speech.llm.llama import LlamaServer
from speech.types import Message

_log = logging.getLogger(__name__)

_MOST = 16  # files kept, of about 6 MB


class SavedBeginnings:
    """The saved beginnings of one model's prompts.

    Its methods block: call them in a thread, while the slot is idle.

    Args:
        server: Has the slots; saves to and loads from `folder`.
        folder: Where the files are.
        model: Names the weights and the program: files of another are not loaded.
    """

    def __init__(self, server: LlamaServer, folder: Path, model: str) -> None:
        self._server: LlamaServer | None = server
        self._folder = folder
        self._model = model
        self._known: list[tuple[Message, ...]] = []

    def add(self, beginning: Sequence[Message]) -> None:
        """Take note of a beginning; `has` tells whether its file is there."""
        self._known.append(tuple(beginning))

    def has(self, beginning: Sequence[Message]) -> bool:
        """Whether the beginning was saved on this machine."""
        return (self._folder / self._name(beginning)).is_file()

    @property
    def first(self) -> tuple[Message, ...]:
        """The likeliest beginning; empty if none is known."""
        return self._known[0] if self._known else ()

    def of(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The longest known beginning of `messages`; empty if there is none."""
        fitting = (known for known in self._known if tuple(messages[: len(known)]) == known)
        return max(fitting, key=len, default=())

    def save(self, slot: int, beginning: Sequence[Message]) -> None:
        """Save what a slot holds, which must be exactly `beginning`.

        A full disk or a read-only folder costs time at the next start and nothing else.
        """
        if self._server is None:
            return
        name = self._name(beginning)
        try:
            self._server.save_slot(slot, f"{name}.part")
            (self._folder / f"{name}.part").replace(self._folder / name)
        except (LanguageModelError, OSError) as error:
            _log.warning("can't save what the model read", extra={"error": str(error)})
            (self._folder / f"{name}.part").unlink(missing_ok=True)
            return
        files = sorted(self._folder.glob("*.kv"), key=lambda file: file.stat().st_mtime)
        for old in files[:-_MOST]:
            old.unlink(missing_ok=True)

    def restore(self, slot: int, beginning: Sequence[Message]) -> bool:
        """Load a beginning into a slot. A file that can't be loaded is deleted.

        Returns:
            Whether the slot holds it now.
        """
        if self._server is None or not self.has(beginning):
            return False
        name = self._name(beginning)
        try:
            self._server.restore_slot(slot, name)
        except LanguageModelError as error:
            _log.warning("can't load what the model read", extra={"error": str(error)})
            (self._folder / name).unlink(missing_ok=True)
            return False
        return True

    def close(self) -> None:
        """Let go of the server: nothing is saved or loaded any more."""
        self._server = None

    def _name(self, beginning: Sequence[Message]) -> str:
        content = json.dumps([self._model, [asdict(message) for message in beginning]])
        return f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.kv"
