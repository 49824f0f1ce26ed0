"""Going on with a call whose connection was lost: what it left, and the tokens that find it.

A token is random and only its hash is kept. It is good for one call and for one use: whoever goes
on with the call gets another. Nothing of it outlives the server.
"""

import hashlib
import re
import secrets
from collections import deque
from dataclasses import dataclass, field

from avatar.protocol.config import CallConfig
from speech.types import Message

KEEP_PLACE_S = 20.0
"""A lost call's place is kept for so long; after that, whoever goes on with it may have to wait."""

OPEN = CallConfig()
"""Nothing is asked, nothing is fixed."""

_SHOWN = re.compile(r'("resume":\s*{"token":\s*)"[^"]*"')
_TOKENS_OF_A_CALL = 4  # the newest; a client may have missed the last one that it was sent


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a call leaves to the one that goes on with it.

    Attributes:
        config: What was asked of it, as it stood at its end.
        messages: What was said, as far as it was heard, and the client's notes.
        owes_reply: Whether the person said the last word.
        seed: Of the face's movement.
        fixed: What of the configuration can't be changed.
        lasted_s: How long it was, with those that it went on with.
        allows_watching: Whether the person lets others watch.
    """

    config: CallConfig
    messages: tuple[Message, ...]
    owes_reply: bool
    seed: int
    fixed: CallConfig = OPEN
    lasted_s: float = 0.0
    allows_watching: bool = True

    def asked_again(self, config: CallConfig) -> CallConfig:
        """What the call that goes on begins with; a consent can be withdrawn, never added."""
        if config.recording is False:
            return self.config.model_copy(update={"recording": False})
        return self.config


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """What a client needs to go on with its call.

    Attributes:
        token: To be shown once.
        expires_in_s: After the connection was lost.
    """

    token: str
    expires_in_s: float


@dataclass(slots=True)
class Tokens:
    """Which call a token goes on with. Found by hash: the time it takes tells nothing."""

    _call_of: dict[bytes, str] = field(default_factory=dict)
    _hashes_of: dict[str, deque[bytes]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._call_of)

    def make(self, call_id: str) -> str:
        """One more token of a call; the oldest of many stops being one."""
        token = secrets.token_urlsafe(32)
        hashes = self._hashes_of.setdefault(call_id, deque())
        hashes.append(_hash(token))
        self._call_of[hashes[-1]] = call_id
        if len(hashes) > _TOKENS_OF_A_CALL:
            del self._call_of[hashes.popleft()]
        return token

    def call(self, token: str) -> str | None:
        """The call that a token is of."""
        return self._call_of.get(_hash(token))

    def forget(self, call_id: str) -> None:
        """Let no token of a call be one any more."""
        for digest in self._hashes_of.pop(call_id, ()):
            del self._call_of[digest]


def without_token(message: str) -> str:
    """A message to the client as it may be recorded."""
    return _SHOWN.sub(r'\1""', message)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
