"""The staff's PIN: kept as a salted hash, tried only so often, good for a few minutes."""

import asyncio
import hashlib
import hmac
import json
import secrets
from pathlib import Path

from speech.errors import ConfigError, PresenciaError

SESSION_S = 300.0
"""How long a right PIN is good for."""
FREE_TRIES = 5
_LOCK_S = 60.0
_LONGEST_LOCK_S = 3600.0
_SHORTEST, _LONGEST = 4, 12
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1  # scrypt: 16 MiB and about 50 ms, RFC 7914


class WrongPinError(PresenciaError):
    """That is not the PIN."""


class PinLockedError(PresenciaError):
    """Too many wrong ones.

    Attributes:
        retry_after_s: When the next one is looked at.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Staff:
    """Who may change the kiosk's settings.

    Args:
        folder: Holds `pin.json`.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "pin.json"
        self._wrong = 0
        self._locked_until_s = 0.0
        self._tokens: dict[str, float] = {}

    @property
    def has_pin(self) -> bool:
        """Whether there is one; without one nobody gets in."""
        return self._file.is_file()

    def set_pin(self, pin: str) -> None:
        """Keep a new PIN.

        Raises:
            ConfigError: It is no PIN, or can't be written.
        """
        if not (pin.isascii() and pin.isdigit() and _SHORTEST <= len(pin) <= _LONGEST):
            raise ConfigError(f"A PIN has {_SHORTEST} to {_LONGEST} digits and nothing else.")
        if len(set(pin)) == 1 or pin in "0123456789" or pin in "9876543210":
            raise ConfigError("That PIN is the first that anybody would try: take another.")
        salt = secrets.token_bytes(16)
        kept = {"salt": salt.hex(), "hash": _hash(pin, salt).hex()}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file.touch(mode=0o600)
            self._file.chmod(0o600)
            self._file.write_text(json.dumps(kept), "utf-8")
        except OSError as error:
            raise ConfigError(f"Can't write {self._file}: {error.strerror}.") from error

    async def enter(self, pin: str) -> str:
        """Try a PIN.

        Returns:
            A token for `allows`.

        Raises:
            WrongPinError: It is wrong, or there is none.
            PinLockedError: It was not looked at.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._locked_until_s:
            raise _locked(self._locked_until_s - loop.time())
        # Counted before it is known: many at once are many tries.
        self._wrong += 1
        if self._wrong >= FREE_TRIES:
            lock_s = min(_LOCK_S * 2 ** (self._wrong - FREE_TRIES), _LONGEST_LOCK_S)
            self._locked_until_s = loop.time() + lock_s
        if not await asyncio.to_thread(self._is_right, pin):
            raise WrongPinError("That is not the PIN.")
        self._wrong = 0
        self._locked_until_s = 0.0
        token = secrets.token_urlsafe(32)
        self._tokens = {token: loop.time() + SESSION_S}  # one at a time: there is one screen
        return token

    def allows(self, token: str) -> bool:
        """Whether a token is good now."""
        now_s = asyncio.get_running_loop().time()
        return any(
            hmac.compare_digest(token.encode(), known.encode()) and now_s < until_s
            for known, until_s in self._tokens.items()
        )

    def leave(self) -> None:
        """No token is good any more."""
        self._tokens.clear()

    def _is_right(self, pin: str) -> bool:
        try:
            kept = json.loads(self._file.read_text("utf-8"))
            salt, expected = bytes.fromhex(kept["salt"]), bytes.fromhex(kept["hash"])
        except (OSError, ValueError, KeyError, TypeError):
            salt, expected = bytes(16), b""  # as slow as with one
        return hmac.compare_digest(_hash(pin[:_LONGEST], salt), expected)


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL)


def _locked(for_s: float) -> PinLockedError:
    return PinLockedError(f"Too many wrong PINs. Try again in {for_s:.0f} seconds.", for_s)
