"""API keys: made by `presencia keys`, kept as salted hashes in a file for its owner alone.

A key is `pres_ID_SECRET` with a secret of 256 random bits. So much randomness can't be guessed from
its hash however fast that is, which is why SHA-256 does and a slow password hash would only let
strangers keep the processor busy.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from speech.errors import ConfigError

_log = logging.getLogger(__name__)

PREFIX = "pres"


class Key(BaseModel):
    """What is known of a key; the key itself is not.

    Attributes:
        id: Public: in lists, in logs, and in the key.
        name: Whom it was given to.
        created: Day, ISO 8601.
        salt: Hexadecimal.
        digest: SHA-256 of salt and key, hexadecimal.
        max_calls: At once, with it; None leaves it to the settings.
        calls_per_minute: Begun with it; None leaves it to the settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    created: str
    salt: str
    digest: str
    max_calls: int | None = None
    calls_per_minute: int | None = None

    def matches(self, token: str) -> bool:
        """Whether `token` is this key, in a time that doesn't tell how nearly it is."""
        return hmac.compare_digest(_digest(self.salt, token), self.digest)


_keys = TypeAdapter(tuple[Key, ...])


def new_key(
    name: str,
    created: str,
    *,
    max_calls: int | None = None,
    calls_per_minute: int | None = None,
) -> tuple[str, Key]:
    """A fresh key, to be shown once, and what is kept of it."""
    key_id = secrets.token_hex(4)
    token = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    limits = {"max_calls": max_calls, "calls_per_minute": calls_per_minute}
    return token, _known(token, key_id, name, created).model_copy(update=limits)


def read_keys(file: Path) -> tuple[Key, ...]:
    """The keys of a file; none if there is no such file.

    Raises:
        ConfigError: Others may read or write the file, or it is malformed.
    """
    try:
        status = file.stat()
        if status.st_mode & 0o077:
            raise ConfigError(
                f"Others can read or change {file}. Make it yours alone: chmod 600 {file}"
            )
        return _keys.validate_json(file.read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"Can't read the keys in {file}: {error.strerror}.") from error
    except ValidationError as error:
        raise ConfigError(
            f"{file} is not a file of keys. Restore it, or delete it and make new keys: "
            "presencia keys new NAME"
        ) from error


def write_keys(file: Path, keys: Iterable[Key]) -> None:
    """Replace a file's keys, at once or not at all; only its owner can read it.

    Raises:
        ConfigError: It can't be written.
    """
    text = json.dumps([key.model_dump(exclude_none=True) for key in keys], indent=1)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text + "\n")
        fresh.replace(file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigError(f"Can't write the keys to {file}: {error.strerror}.") from error


class KeyRing:
    """The keys that are valid now. The file is read again whenever it has changed.

    Args:
        file: As `write_keys` writes it; need not be there.
        more: Keys from the settings.

    Raises:
        ConfigError: The file can't be used.
    """

    def __init__(self, file: Path, more: Iterable[str] = ()) -> None:
        self._file = file
        self._more = tuple(
            _known(token, f"settings-{n}", "from the settings", "")
            for n, token in enumerate(more, 1)
        )
        self._stamp = self._now_on_disk()
        self._by_id = {key.id: key for key in read_keys(file)}
        self._demanded = bool(self._by_id or self._more)

    @property
    def demanded(self) -> bool:
        """Whether there are keys; once there were some, for ever: losing them opens nothing."""
        self._refresh()
        return self._demanded

    def find(self, token: str) -> Key | None:
        """The key that `token` is. What it takes doesn't tell how nearly it is one."""
        self._refresh()
        prefix, _, rest = token.partition("_")
        named = self._by_id.get(rest.partition("_")[0]) if prefix == PREFIX else None
        candidates = (named or _NOBODY, *self._more)
        matching = [key for key in candidates if key.matches(token)]
        return next((key for key in matching if key is not _NOBODY), None)

    def named(self, key_id: str) -> Key | None:
        """The key of that id, unless it was revoked."""
        self._refresh()
        return self._by_id.get(key_id) or next((k for k in self._more if k.id == key_id), None)

    def _refresh(self) -> None:
        stamp = self._now_on_disk()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._by_id = {key.id: key for key in read_keys(self._file)}
        except ConfigError:
            self._by_id = {}
            _log.exception("no key of the file is valid until it is repaired")
        self._demanded = self._demanded or bool(self._by_id)

    def _now_on_disk(self) -> tuple[int, ...]:
        try:
            status = self._file.stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode


def _known(token: str, key_id: str, name: str, created: str) -> Key:
    salt = secrets.token_hex(16)
    return Key(id=key_id, name=name, created=created, salt=salt, digest=_digest(salt, token))


def _digest(salt: str, token: str) -> str:
    return hashlib.sha256(f"{salt}:{token}".encode(errors="replace")).hexdigest()


_NOBODY = _known(secrets.token_urlsafe(32), "", "", "")
