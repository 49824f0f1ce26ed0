"""Which files were already checked, so that a start doesn't hash half a gigabyte again."""

import hashlib
import json
import os
from pathlib import Path

from avatar.store.manifest import ModelFile


class VerifiedFiles:
    """Remembers size, modification time and sha256 of files that were found right.

    A file that was touched since is hashed anew. One JSON file per folder of model files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def knows(self, path: Path, file: ModelFile) -> bool:
        """Whether `path` was found to be `file` and is untouched since; hashes nothing."""
        found = _fingerprint(path, file)
        return found is not None and self._read(path).get(path.name) == found

    def check(self, path: Path, file: ModelFile) -> bool:
        """Whether `path` is `file`, hashed now; the answer is remembered."""
        found = _fingerprint(path, file)
        right = found is not None and _sha256(path) == file.sha256
        known = self._read(path)
        changed = {name: value for name, value in known.items() if name != path.name}
        if right:
            changed[path.name] = found
        if changed != known:
            self._write(path, changed)
        return right

    def _record(self, path: Path) -> Path:
        return self._folder / f"{path.parent.name}.json"

    def _read(self, path: Path) -> dict[str, object]:
        try:
            record = json.loads(self._record(path).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _write(self, path: Path, record: dict[str, object]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._record(path).with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(record, indent=1), "utf-8")
        os.replace(written, self._record(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fingerprint(path: Path, file: ModelFile) -> list[object] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns, file.sha256] if stat.st_size == file.bytes else None
