"""A face folder over HTTP, for clients that draw the face: read-only, cacheable, and no other file.

    GET FACE/card.json         the card as JSON; browsers read no TOML
    GET FACE/card.toml         the card
    GET FACE/FILE              a file that the card names
    GET FACE/FILE?SHA256       the same, never to be asked for again

Whatever is not named by the card is not found, so no path leads out of the folder.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

_CARD = "card.toml"
_FRESH = "no-cache"
_FOREVER = "public, max-age=31536000, immutable"


def face_files(folder: Path) -> APIRouter:
    """The routes that give a face's card and files.

    Args:
        folder: A face folder; it is read once, here.
    """
    toml = (folder / _CARD).read_bytes()
    card = tomllib.loads(toml.decode())
    cards = {
        _CARD: (toml, "application/toml"),
        "card.json": (json.dumps(card).encode(), "application/json"),
    }
    sums = dict(_files(card))
    router = APIRouter()

    @router.get("/{name}", include_in_schema=False)
    async def file(name: str, request: Request) -> Response:
        if name in cards:
            content, kind = cards[name]
            tag = f'"{hashlib.sha256(content).hexdigest()}"'
            if _has(request, tag):
                return _unchanged(tag, _FRESH)
            return Response(content, media_type=kind, headers=_cached(tag, _FRESH))
        path = folder / name
        if name not in sums or not path.is_file():
            raise HTTPException(404)
        tag = f'"{sums[name]}"'
        policy = _FOREVER if request.url.query == sums[name] else _FRESH
        if _has(request, tag):
            return _unchanged(tag, policy)
        kind = "image/webp" if path.suffix == ".webp" else "application/octet-stream"
        return FileResponse(path, media_type=kind, headers=_cached(tag, policy))

    return router


def _files(table: object) -> Iterator[tuple[str, str]]:
    """Every file that a card names, and its sha256; names that are paths are left out."""
    if not isinstance(table, dict):
        return
    name, sha256 = table.get("file"), table.get("sha256")
    if isinstance(name, str) and isinstance(sha256, str) and Path(name).name == name:
        yield name, sha256
    for part in table.values():
        yield from _files(part)


def _has(request: Request, tag: str) -> bool:
    return tag in request.headers.get("if-none-match", "")


def _cached(tag: str, policy: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": policy}


def _unchanged(tag: str, policy: str) -> Response:
    return Response(status_code=304, headers=_cached(tag, policy))
