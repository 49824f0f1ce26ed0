"""Client secrets: for a browser or a phone, which must not hold a key.

A server that has a key asks for one and hands it on. It is short-lived, begins calls and nothing
else, and what it says about the session binds whoever uses it.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar.protocol.config import CallConfig

PREFIX = "ek_"
SHORTEST_S = 10
USUAL_S = 600
LONGEST_S = 7200
"""Bounds and default of a secret's life, those of OpenAI's API."""


class TooManySecretsError(Exception):
    """So many are valid that no more is made."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What is known of one; the secret itself is not.

    Attributes:
        key_id: Of the key that it was made with, for which its calls count; empty without one.
        fixed: What whoever uses it is given and can't change.
        session: The same in the words of the Realtime API, as JSON; what it leaves out is open.
        expires_s: Loop time.
    """

    key_id: str
    fixed: CallConfig
    session: Mapping[str, Any]
    expires_s: float


@dataclass(slots=True)
class ClientSecrets:
    """Those of this server that have not expired; they end with it.

    Found by their hash, so that the time it takes tells nothing of how nearly one was guessed.

    Attributes:
        limit: How many can be valid at once.
    """

    limit: int
    _by_hash: dict[bytes, ClientSecret] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_hash)

    def make(self, secret: ClientSecret, now_s: float) -> str:
        """A new one; returns what to hand on.

        Raises:
            TooManySecretsError: `limit` are valid already.
        """
        if len(self._by_hash) >= self.limit:
            self._drop_expired(now_s)
        if len(self._by_hash) >= self.limit:
            raise TooManySecretsError
        token = PREFIX + secrets.token_urlsafe(32)
        self._by_hash[_hash(token)] = secret
        return token

    def find(self, token: str, now_s: float) -> ClientSecret | None:
        """The secret that `token` is, if it is one and has not expired."""
        digest = _hash(token)
        secret = self._by_hash.get(digest)
        if secret is not None and secret.expires_s <= now_s:
            del self._by_hash[digest]
            return None
        return secret

    def _drop_expired(self, now_s: float) -> None:
        self._by_hash = {k: v for k, v in self._by_hash.items() if v.expires_s > now_s}


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
