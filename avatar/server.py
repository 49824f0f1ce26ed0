"""The HTTP server: signalling, the call page, health and metrics."""

import asyncio
import logging
import socket
import threading
from dataclasses import dataclass, field

import psutil
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from avatar.calls import Calls
from avatar.engines import Engines
from avatar.face.files import face_files
from avatar.face.library import face_folder, face_url
from avatar.protocol.events import SessionConfig, explain_config
from avatar.recording.retention import keep_promise
from avatar.rtc.ice import browser_ice_servers
from avatar.settings import Settings
from avatar.store.data import data_folder
from avatar.telemetry.turns import Telemetry
from speech.errors import PresenciaError, ServerFullError, SignallingError

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024  # a browser's offer is 5 to 15 kB
RETRY_AFTER_S = 10

_FRESH = {"Cache-Control": "no-cache"}

_HEADERS = {
    # The page loads nothing from elsewhere; blob: and mediastream: are its own video.
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob: mediastream:; "
    "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'",
    "Permissions-Policy": "microphone=(self), camera=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ApiError(Exception):
    """An error in the API's shape.

    Attributes:
        status: HTTP status.
        code: For programs.
        message: For a person.
    """

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> JSONResponse:
        """The answer that says so."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        body = {"type": kind, "code": self.code, "message": self.message, "param": None}
        return JSONResponse({"error": body}, self.status, headers=self.headers)


@dataclass(slots=True)
class State:
    """What the server has, once it has it."""

    calls: Calls | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)

    @property
    def ready(self) -> Calls:
        """The calls; an `ApiError` until the models are loaded."""
        if self.calls is None:
            raise ApiError(
                503,
                "not_ready",
                "The models are still loading; this takes some seconds.",
                **{"Retry-After": "2"},
            )
        return self.calls


def create_app(settings: Settings, state: State) -> FastAPI:
    """The application; its calls run in `state.calls`."""
    app = FastAPI(title="Presencia", docs_url=None, redoc_url=None)
    process = psutil.Process()
    folder = face_folder(settings.face.name)
    recording = settings.recording
    state.telemetry.metrics.count_calls(lambda: len(state.calls) if state.calls else 0)

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        code = "not_found" if error.status_code == 404 else "invalid_request"
        return ApiError(error.status_code, code, str(error.detail)).response()

    @app.middleware("http")
    async def secure(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    @app.post("/v1/realtime/calls", status_code=201)
    async def start_call(request: Request) -> Response:
        calls = state.ready
        offer, config = await _read_offer(request)
        try:
            call_id, answer = await calls.start(offer, config)
        except ServerFullError as error:
            raise ApiError(
                429, "server_full", str(error), **{"Retry-After": str(RETRY_AFTER_S)}
            ) from error
        except SignallingError as error:
            raise ApiError(400, "invalid_sdp", str(error)) from error
        return Response(
            answer,
            201,
            media_type="application/sdp",
            headers={"Location": f"/v1/realtime/calls/{call_id}"},
        )

    @app.post("/v1/realtime/calls/{call_id}/hangup")
    async def hang_up(call_id: str) -> Response:
        if not state.ready.hang_up(call_id):
            raise ApiError(404, "call_not_found", "There is no such call; it may have ended.")
        return Response(status_code=200)

    @app.get("/v1/avatar/config")
    async def config() -> dict[str, object]:
        persona = state.ready.engines.persona
        return {
            "name": persona.name,
            "disclosure": persona.disclosure[settings.listening.language],
            "languages": sorted(state.ready.engines.voices),
            "language": settings.listening.language,
            "ice_servers": browser_ice_servers(settings.rtc),
            "video": {"width": settings.face.width, "height": settings.face.height},
            "face": {"name": folder.name, "url": face_url(settings.face.name)},
            "recording": {"keep_days": recording.keep_days} if recording.enabled else None,
        }

    @app.get("/v1/avatar/metrics")
    async def metrics() -> dict[str, object]:
        calls = state.ready
        return {
            "calls": len(calls),
            "max_calls": settings.server.max_calls,
            "rss_mb": round(process.memory_info().rss / 2**20, 1),
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "open_files": process.num_fds(),
            **calls.cost().per_frame_ms(),
            **state.telemetry.metrics.counts(),
        }

    @app.get("/v1/metrics")
    async def prometheus(request: Request) -> Response:
        body, content_type = state.telemetry.metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    @app.get("/v1/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/health/ready")
    async def ready() -> JSONResponse:
        if state.calls is None:
            detail = "The models are still loading."
            return JSONResponse({"status": "loading", "detail": detail}, 503)
        return JSONResponse({"status": "ok"})

    @app.get("/poster.webp")
    async def poster() -> Response:
        # Until the face is loaded, the page's own: that of the default face.
        if state.calls is None:
            return FileResponse(data_folder("web_client") / "poster.webp", headers=_FRESH)
        return Response(state.calls.engines.poster, media_type="image/webp", headers=_FRESH)

    app.include_router(face_files(folder), prefix=face_url(settings.face.name).rstrip("/"))
    app.mount("/", StaticFiles(directory=data_folder("web_client"), html=True), name="page")
    return app


async def _read_offer(request: Request) -> tuple[str, SessionConfig]:
    """The offer and the session that the client asks for, raw or as a form."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise ApiError(413, "too_large", f"An offer has at most {MAX_BODY_BYTES // 1024} kB.")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _read_text(request), SessionConfig()
    async with request.form(max_files=2, max_fields=4, max_part_size=MAX_BODY_BYTES) as form:
        parts = {
            name: part if isinstance(part, str) else (await part.read()).decode(errors="replace")
            for name, part in form.items()
        }
    if "sdp" not in parts:
        raise ApiError(400, "invalid_sdp", "The form has no field 'sdp' with the offer.")
    try:
        return parts["sdp"], SessionConfig.model_validate_json(parts.get("session", "{}"))
    except ValidationError as error:
        raise ApiError(400, "invalid_session", explain_config(error)) from error


async def _read_text(request: Request) -> str:
    body = bytearray()
    async for part in request.stream():  # a chunked body has no length to check in advance
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, "too_large", f"An offer has at most {MAX_BODY_BYTES // 1024} kB.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "invalid_sdp", "The offer is not text.") from error


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Load the models and serve until interrupted.

    Raises:
        PresenciaError: The models can't be loaded, or the settings don't fit the installation.
    """
    async with Telemetry.started(settings) as telemetry:
        await _serve(settings, listener, State(telemetry=telemetry))


async def _serve(settings: Settings, listener: socket.socket, state: State) -> None:
    http = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, state), log_level="warning", access_log=False, lifespan="off"
        )
    )
    failure: PresenciaError | None = None
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(http.serve(sockets=[listener]), name="http")
        retaining = tasks.create_task(keep_promise(settings.recording), name="retention")
        try:
            async with Engines.loaded(settings) as engines, asyncio.TaskGroup() as call_tasks:
                state.calls = calls = Calls(settings, engines, call_tasks, state.telemetry)
                host, port = listener.getsockname()[:2]
                # For whoever started us, a person or `presencia bench`.
                print(f"Presencia is ready at http://{host}:{port}", flush=True)  # noqa: T201
                await asyncio.wait([serving])
                state.calls = None
                calls.hang_up_all()
        except PresenciaError as error:
            failure = error  # raised below, or the group would wrap it
            http.should_exit = True
        finally:
            retaining.cancel()
    if failure is not None:
        raise failure
