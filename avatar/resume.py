"""Going on with a call whose connection was lost: what it left, and the tokens that find it.

A token is random and only its hash is kept. It is good for one call at a time and for one use:
whoever goes on with the call gets another, and the old one goes once their client has been heard
for long enough to have it. Until then it finds the new call, whose answer or token may have been
lost on its way. Nothing of it outlives the server.
"""

import asyncio
import hashlib
import re
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from avatar.protocol.config import CallConfig
from avatar.recording.recorder import Recorder
from speech.types import Message

KEEP_PLACE_S = 20.0
"""A lost call's place is kept for so long; after that, whoever goes on with it may have to wait."""

TOKEN_ARRIVES_S = 2.0
"""Who is still heard so long after the first time has the token that was sent as they connected."""

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
        recordings: Of the conversation so far, to be deleted if the person withdraws.
        has_opened: Whether the last answer that was heard had an opener.
    """

    config: CallConfig
    messages: tuple[Message, ...]
    owes_reply: bool
    seed: int
    fixed: CallConfig = OPEN
    lasted_s: float = 0.0
    allows_watching: bool = True
    recordings: tuple[Recorder, ...] = ()
    has_opened: bool = False

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
class Return:
    """Whether a call's client may be back for it.

    Attributes:
        goes_on: Whether the call goes on with another.
        heard_from: Called when the client surely has this call's token.
        is_done: Nobody will go on with it.
        is_awaited: Somebody said that they will.
        is_known: The client was heard: it knows of the call.
        is_settled: It has been heard for so long that it surely has this call's token.
        farewell: What the client is told if the call ends for good.
    """

    goes_on: bool
    heard_from: Callable[[], None]
    is_done: bool = False
    is_awaited: bool = False
    is_known: bool = False
    is_settled: bool = False
    farewell: str = ""
    _known_since_s: float = 0.0

    def leave_word(self, message: str) -> None:
        """Set the farewell."""
        self.farewell = message

    def hear(self) -> bool:
        """The client was heard; whether for the first time."""
        now_s = asyncio.get_running_loop().time()
        if not self.is_known:
            self.is_known, self._known_since_s = True, now_s
            return True
        if not self.is_settled and now_s - self._known_since_s >= TOKEN_ARRIVES_S:
            self.is_settled = True
            self.heard_from()
        return False

    def hang_up(self, *, for_good: bool) -> None:
        """The call ends."""
        self.is_done = self.is_done or for_good
        self.is_awaited = not for_good

    def is_likely(self, *, watches: bool) -> bool:
        """Whether it was lost, and its client watches over calls.

        So does one that came back for a call; until that is settled it may have only the old token.

        Args:
            watches: Whether it was seen to do so in this call.
        """
        is_unsettled = self.goes_on and not self.is_settled
        return not self.is_done and (self.is_awaited or is_unsettled or watches)


@dataclass(slots=True)
class Tokens:
    """Which call a token goes on with. Found by hash: the time it takes tells nothing."""

    _call_of: dict[bytes, str] = field(default_factory=dict)
    _hashes_of: dict[str, deque[bytes]] = field(default_factory=dict)
    _inherited: dict[str, list[bytes]] = field(default_factory=dict)

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

    def pass_on(self, old_id: str, new_id: str) -> None:
        """Let a call's tokens find the call that goes on with it, until `settle`."""
        hashes = [*self._inherited.pop(old_id, ()), *self._hashes_of.pop(old_id, ())]
        # Of many attempts in vain: what the client surely had, and what it was sent last.
        for digest in hashes[_TOKENS_OF_A_CALL:-_TOKENS_OF_A_CALL]:
            del self._call_of[digest]
        kept = [digest for digest in hashes if digest in self._call_of]
        self._inherited[new_id] = kept
        self._call_of.update(dict.fromkeys(kept, new_id))

    def settle(self, call_id: str) -> None:
        """The client is there: let only the call's own tokens be some."""
        for digest in self._inherited.pop(call_id, ()):
            del self._call_of[digest]

    def forget(self, call_id: str) -> None:
        """Let no token of a call be one any more."""
        self.settle(call_id)
        for digest in self._hashes_of.pop(call_id, ()):
            del self._call_of[digest]


def without_token(message: str) -> str:
    """A message to the client as it may be recorded."""
    return _SHOWN.sub(r'\1""', message)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
