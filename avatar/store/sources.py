"""Reading a model file from one of the places that have it."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from avatar.store.manifest import (
    HubFile,
    ModelFile,
    NpmMember,
    Source,
    UrlFile,
    WheelMember,
    WheelParts,
    WholeWheel,
)
from avatar.store.packages import Packages, SourceError

Report = Callable[[int], None]
"""Told how many of the file's bytes have arrived, counted from the file's beginning."""

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file in the offline folder."""

    path: Path


AnySource = Source | LocalFile


def place(source: AnySource) -> str:
    """What to call the source in a message."""
    match source:
        case LocalFile(path=path):
            return str(path)
        case WheelMember(wheel=wheel):
            return f"wheel {wheel}"
        case WheelParts(parts=parts):
            return f"wheels {parts[0].wheel} and so on"
        case WholeWheel(whole_wheel=wheel):
            return f"wheel {wheel}"
        case NpmMember(npm=npm):
            return f"npm package {npm}"
        case HubFile(hub=hub):
            return f"hub {hub}"
        case UrlFile(url=url):
            return url


def read(
    source: AnySource, file: ModelFile, start: int, packages: Packages, report: Report
) -> Iterator[bytes]:
    """Yield the bytes of `file` from position `start` on, unverified.

    Raises:
        SourceError: This source can't give them; what was yielded before may still be good.
        OSError: There is no room for the package that holds them.
    """
    match source:
        case LocalFile(path=path):
            yield from _read_local(path, start)
        case WheelMember(wheel=wheel, member=member, platform=platform):
            with packages.open_wheel_member(
                wheel, member, platform, lambda part: report(int(part * file.bytes))
            ) as stream:
                yield from _rest(stream, start)
        case WholeWheel(whole_wheel=wheel):
            with packages.open_wheel(wheel, lambda part: report(int(part * file.bytes))) as stream:
                yield from _rest(stream, start)
        case WheelParts():
            yield from _read_parts(source, start, packages, report)
        case NpmMember(npm=npm, member=member):
            with packages.open_npm_member(npm, member) as stream:
                yield from _rest(stream, start)
        case HubFile(hub=hub, file=name, revision=revision):
            # HF_ENDPOINT is the hub's own variable for mirrors.
            endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
            yield from _read_url(f"{endpoint}/{hub}/resolve/{revision}/{name}", start)
        case UrlFile(url=url):
            yield from _read_url(url, start)


def _read_local(path: Path, start: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from _rest(stream, start)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _read_parts(
    source: WheelParts, start: int, packages: Packages, report: Report
) -> Iterator[bytes]:
    begin = 0
    for part in source.parts:
        end = begin + part.bytes
        if start < end:

            def report_part(done: float, begin: int = begin, size: int = part.bytes) -> None:
                report(begin + int(done * size))

            with packages.open_wheel_member(
                part.wheel, part.member, part.platform, report_part
            ) as stream:
                yield from _rest(stream, max(0, start - begin))
        begin = end


def _read_url(url: str, start: int) -> Iterator[bytes]:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            # A server that ignores the range sends the file from its beginning.
            yield from _rest(response, 0 if response.status == 206 else start)
    except urllib.error.HTTPError as error:
        raise SourceError(f"{url} answers {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"no network for {url}") from error


def _rest(stream: IO[bytes], skip: int) -> Iterator[bytes]:
    while skip > 0 and (chunk := stream.read(min(skip, _CHUNK_BYTES))):
        skip -= len(chunk)
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk
