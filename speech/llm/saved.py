"""Beginnings of prompts that a language model has read, kept in files.

Reading a persona takes a 0.5B model seven seconds of one slow core; loading what it made of it
takes 25 ms. So each beginning is read once on a machine, not once a start.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
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
        model: Names the weights, the program and how many slots it has, for llama.cpp loads no file
            of a server with fewer or more: files of another are not loaded.
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
        return self._file(beginning).is_file()

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
        file = self._file(beginning)
        part = file.with_name(f"{file.name}.{secrets.token_hex(4)}")  # others may save the same now
        try:
            self._server.save_slot(slot, part.name)
            part.replace(file)
        except (LanguageModelError, OSError) as error:
            _log.warning("can't save what the model read", extra={"error": str(error)})
            _delete(part)
        with suppress(OSError):  # another process may delete them meanwhile
            files = sorted(self._folder.glob("*.kv*"), key=lambda file: file.stat().st_mtime)
            for old in files[:-_MOST]:
                old.unlink()

    def restore(self, slot: int, beginning: Sequence[Message]) -> bool:
        """Load a beginning into a slot. A file that can't be loaded is deleted.

        Returns:
            Whether the slot holds it now.
        """
        if self._server is None or not self.has(beginning):
            return False
        file = self._file(beginning)
        try:
            self._server.restore_slot(slot, file.name)
        except LanguageModelError as error:
            if file.is_file():  # another process may have deleted it: it was old
                _log.warning("can't load what the model read", extra={"error": str(error)})
                if not error.retryable:
                    _delete(file)
            return False
        with suppress(OSError):
            os.utime(file)  # it is of use
        return True

    def close(self) -> None:
        """Let go of the server: nothing is saved or loaded any more."""
        self._server = None

    def _file(self, beginning: Sequence[Message]) -> Path:
        content = json.dumps([self._model, [asdict(message) for message in beginning]])
        return self._folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.kv"


def _delete(file: Path) -> None:
    with suppress(OSError):  # it is not there, or the folder is read-only
        file.unlink()
