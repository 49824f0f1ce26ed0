"""What a client may know of the server: who answers, its picture, its health and its metrics."""

import asyncio
import threading

import psutil
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from avatar.face.library import face_folder, face_url
from avatar.routes.documented import ADMITTED, refusals
from avatar.routes.state import State
from avatar.rtc.ice import browser_ice_servers
from avatar.settings import Settings
from avatar.store.data import data_folder

_FRESH = {"Cache-Control": "no-cache"}


def router(settings: Settings, state: State) -> APIRouter:
    """`/v1/avatar/config`, `/v1/avatar/metrics`, `/v1/metrics`, `/v1/health/*`, the poster."""
    routes = APIRouter()
    process = psutil.Process()
    face = {"name": face_folder(settings.face.name).name, "url": face_url(settings.face.name)}
    recording = settings.recording

    @routes.get("/v1/avatar/config", responses=refusals(503))
    async def config(request: Request) -> dict[str, object]:
        persona = state.ready.engines.persona
        admitted = state.access.admits(request)
        return {
            "name": persona.name,
            "disclosure": persona.disclosure[settings.listening.language],
            "languages": sorted(state.ready.engines.voices),
            "language": settings.listening.language,
            # A relay's credentials are for callers alone.
            "ice_servers": browser_ice_servers(settings.rtc) if admitted else [],
            "access": {"key_required": state.access.key_required, "admitted": admitted},
            "video": {"width": settings.face.width, "height": settings.face.height},
            "face": face,
            "watching": settings.watching.enabled,
            "recording": {"keep_days": recording.keep_days} if recording.enabled else None,
        }

    @routes.get("/v1/avatar/metrics", responses=refusals(*ADMITTED, 503))
    async def metrics(request: Request) -> dict[str, object]:
        state.access.admit(request, "manage")
        calls = state.ready
        return {
            "calls": len(calls),
            "max_calls": settings.server.max_calls,
            "waiting": calls.places.line.waiting,
            "rss_mb": round(process.memory_info().rss / 2**20, 1),
            "tasks": len(asyncio.all_tasks()),
            "threads": process.num_threads() - _pooled_threads(),
            "open_files": process.num_fds(),
            **calls.cost().per_frame_ms(),
            **state.telemetry.metrics.counts(),
        }

    @routes.get(
        "/v1/metrics",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {}, "application/openmetrics-text": {}}},
            **refusals(*ADMITTED),
        },
    )
    async def prometheus(request: Request) -> Response:
        state.access.admit(request, "manage")
        body, content_type = state.telemetry.metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    @routes.get("/v1/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get(
        "/v1/health/ready",
        responses={503: {"description": "Loading", "content": {"application/json": {}}}},
    )
    async def ready() -> JSONResponse:
        if state.calls is None:
            detail = "The models are still loading."
            return JSONResponse({"status": "loading", "detail": detail}, 503)
        return JSONResponse({"status": "ok"})

    @routes.get(
        "/poster.webp",
        response_class=Response,
        responses={200: {"content": {"image/webp": {}}}},
    )
    async def poster() -> Response:
        # Until the face is loaded, the page's own: that of the default face.
        if state.calls is None:
            return FileResponse(data_folder("web_client") / "poster.webp", headers=_FRESH)
        return Response(state.calls.engines.poster, media_type="image/webp", headers=_FRESH)

    return routes


def _pooled_threads() -> int:
    """How many threads asyncio's own pool has by now, of the few that it keeps once they exist."""
    return sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
