"""WebRTC calls in the shapes of the OpenAI Realtime API: an offer in, an answer out."""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from avatar.protocol.events import SessionConfig, explain_config
from avatar.protocol.realtime import Realtime
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.settings import Settings
from speech.errors import ServerFullError, SignallingError

MAX_BODY_BYTES = 256 * 1024  # a browser's offer is 5 to 15 kB
RETRY_AFTER_S = 10


def router(_settings: Settings, state: State) -> APIRouter:
    """`/v1/realtime/calls`."""
    routes = APIRouter()

    @routes.post("/v1/realtime/calls", status_code=201)
    async def start_call(request: Request) -> Response:
        calls = state.ready
        offer, session = await _read_offer(request)
        try:
            call_id, answer = await calls.start(offer, session.call_config(), Realtime)
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

    @routes.post("/v1/realtime/calls/{call_id}/hangup")
    async def hang_up(call_id: str) -> Response:
        if not state.ready.hang_up(call_id):
            raise ApiError(404, "call_not_found", "There is no such call; it may have ended.")
        return Response(status_code=200)

    return routes


async def _read_offer(request: Request) -> tuple[str, SessionConfig]:
    """The offer and the session that the client asks for, raw or as a form."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise ApiError(413, "too_large", f"An offer has at most {MAX_BODY_BYTES // 1024} kB.")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await read_text(request), SessionConfig()
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


async def read_text(request: Request) -> str:
    """The body of a request, as text.

    Raises:
        ApiError: It is too large for an offer, or no text.
    """
    body = bytearray()
    async for part in request.stream():  # a chunked body has no length to check in advance
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, "too_large", f"An offer has at most {MAX_BODY_BYTES // 1024} kB.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "invalid_sdp", "The offer is not text.") from error
