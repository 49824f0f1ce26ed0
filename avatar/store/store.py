"""Model files by name: fetched on first use, checked by sha256, kept in a cache.

    CACHE/models/NAME/FILE        only files whose sha256 is right
    CACHE/verified/NAME.json      size, mtime and sha256 of the files that were checked
    CACHE/partial/SHA256          a file that is still arriving, resumed whatever the source
    CACHE/downloads/NAME/         the package it is read from, deleted afterwards
    CACHE/locks/NAME              held by the one process that fetches NAME

CACHE is `PRESENCIA_CACHE`, else `XDG_CACHE_HOME/presencia`, else `~/.cache/presencia`. Files in
`PRESENCIA_MODELS/NAME/` (a copy of another machine's CACHE/models) are taken before any network.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from filelock import FileLock

from avatar.store.arrival import Arrival
from avatar.store.data import data_folder
from avatar.store.manifest import (
    Entry,
    ModelFile,
    NpmMember,
    Source,
    WheelMember,
    WheelParts,
    WholeWheel,
    read_manifest,
)
from avatar.store.packages import Packages, SourceError
from avatar.store.record import VerifiedFiles
from avatar.store.sources import LocalFile
from speech.errors import ModelStoreError

Progress = Callable[[int], None]
"""Told how many bytes of the entry are here. May be told a smaller number than before."""

_SLACK_BYTES = 64 << 20


class ModelStore:
    """The models of a manifest, in a cache folder.

    Blocking; safe to use from several threads and processes at once.

    Args:
        entries: What there is, by name.
        cache: Where files are kept; made when needed.
        offline_folder: Where to look before any network; see the module's head.

    Attributes:
        cache: The cache folder.
    """

    def __init__(
        self, entries: Mapping[str, Entry], cache: Path, offline_folder: Path | None = None
    ) -> None:
        self._entries = entries
        self.cache = cache
        self._offline_folder = offline_folder
        self._verified = VerifiedFiles(cache / "verified")

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The store of this installation's manifest and this user's cache.

        Raises:
            ModelStoreError: The manifest is missing or malformed.
        """
        xdg = environ.get("XDG_CACHE_HOME") or "~/.cache"
        cache = Path(environ.get("PRESENCIA_CACHE") or f"{xdg}/presencia").expanduser()
        offline = environ.get("PRESENCIA_MODELS")
        entries = read_manifest(data_folder("models") / "manifest.toml")
        return cls(entries, cache, Path(offline).expanduser() if offline else None)

    def names(self) -> list[str]:
        """All entries' names, in the manifest's order."""
        return list(self._entries)

    def entry(self, name: str) -> Entry:
        """What the manifest says about `name`.

        Raises:
            ModelStoreError: It says nothing.
        """
        if name not in self._entries:
            raise ModelStoreError(f"No model is called {name!r}: see `presencia models list`.")
        return self._entries[name]

    def is_fetched(self, name: str) -> bool:
        """Whether all files of `name` are here, verified, and untouched since."""
        return all(
            self._verified.knows(self._folder(name) / file.name, file)
            for file in self.entry(name).files
        )

    def path(self, name: str, progress: Progress | None = None) -> Path:
        """The folder with the files of `name`, fetched now if they are not here yet.

        Raises:
            ModelStoreError: They can't be fetched; the message says why and what to do.
        """
        return self._folder(name) if self.is_fetched(name) else self.fetch(name, progress)

    def fetch(self, name: str, progress: Progress | None = None) -> Path:
        """Fetch what is missing of `name`, and return its folder.

        Raises:
            ModelStoreError: It can't be fetched; the message says why and what to do.
        """
        entry = self.entry(name)
        with _disk_errors_explained(self.cache):
            for folder in ("locks", "partial", f"models/{name}"):
                (self.cache / folder).mkdir(parents=True, exist_ok=True)
            with FileLock(self.cache / "locks" / name):
                self._fetch_missing(entry, progress or (lambda _: None))
        return self._folder(name)

    def verify(self, name: str) -> None:
        """Hash every file of `name`, whatever is remembered about it.

        Raises:
            ModelStoreError: A file is missing or is not the one that the manifest names.
        """
        for file in self.entry(name).files:
            path = self._folder(name) / file.name
            with _disk_errors_explained(self.cache):
                right = self._verified.check(path, file)
            if not right:
                state = "has a wrong checksum" if path.exists() else "is missing"
                raise ModelStoreError(f"{path} {state}: run `presencia models fetch {name}`.")

    def _folder(self, name: str) -> Path:
        return self.cache / "models" / name

    def _fetch_missing(self, entry: Entry, progress: Progress) -> None:
        folder = self._folder(entry.name)
        missing = [
            file
            for file in entry.files
            if not self._verified.knows(folder / file.name, file)
            and not self._verified.check(folder / file.name, file)
        ]
        arrivals = {file: Arrival(file, self.cache / "partial") for file in missing}
        if missing:
            self._check_room(entry.name, arrivals)
        here = entry.bytes - sum(file.bytes for file in missing)
        with Packages(self.cache / "downloads" / entry.name) as packages:
            for file, arrival in arrivals.items():
                self._collect(entry.name, file, arrival, packages, _offset(progress, here))
                here += file.bytes
        progress(here)

    def _collect(
        self, name: str, file: ModelFile, arrival: Arrival, packages: Packages, progress: Progress
    ) -> None:
        local = self._offline_folder and LocalFile(self._offline_folder / name / file.name)
        sources = [local, *file.sources] if local else file.sources
        try:
            partial = arrival.collect(sources, packages, progress)
        except SourceError as error:
            raise ModelStoreError(
                f"Can't fetch {file.name} of {name}: {error}. Run `presencia models fetch {name}` "
                "when that is mended, or set PRESENCIA_MODELS to a folder that has "
                f"{name}/{file.name}."
            ) from error
        path = self._folder(name) / file.name
        os.replace(partial, path)
        self._verified.check(path, file)

    def _check_room(self, name: str, arrivals: Mapping[ModelFile, Arrival]) -> None:
        """See that the files fit, and beside them one package, twice: pip copies it."""
        package = max(_package_bytes(source, file) for file in arrivals for source in file.sources)
        missing = sum(file.bytes - arrival.size for file, arrival in arrivals.items())
        need, free = missing + 2 * package + _SLACK_BYTES, shutil.disk_usage(self.cache).free
        if free < need:
            raise ModelStoreError(
                f"{name} needs {need >> 20} MB and the disk of {self.cache} has {free >> 20} MB: "
                "make room, or set PRESENCIA_CACHE to a folder on another disk."
            )


def _package_bytes(source: Source, file: ModelFile) -> int:
    """About how big the package is that the source unpacks."""
    match source:
        case WheelParts(parts=parts):
            return max(part.bytes for part in parts)
        case WheelMember() | WholeWheel() | NpmMember():
            return file.bytes
        case _:
            return 0


def _offset(progress: Progress, here: int) -> Progress:
    return lambda arrived: progress(here + arrived)


@contextmanager
def _disk_errors_explained(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            problem, where = f"The disk of {cache} is full: make room, or", "on another disk"
        else:
            problem = f"Can't write to {cache} ({error.strerror}):"
            where = "that you may write to"
        raise ModelStoreError(f"{problem} set PRESENCIA_CACHE to a folder {where}.") from error
