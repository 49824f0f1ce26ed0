"""WebRTC calls in the shapes of the OpenAI Realtime API: an offer in, an answer out."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from avatar.access.caller import Caller
from avatar.access.fixing import with_fixed
from avatar.access.guard import MAX_BODY_BYTES
from avatar.protocol.events import SessionConfig, explain_config
from avatar.protocol.realtime import Realtime
from avatar.routes.documented import (
    ADMITTED,
    SDP_BODY,
    SdpResponse,
    refusals,
    schema_of,
    takes,
)
from avatar.routes.errors import ApiError
from avatar.routes.queue import stand_in_line
from avatar.routes.state import State
from avatar.settings import Settings
from speech.errors import ServerFullError

_FORM = {
    "type": "object",
    "required": ["sdp"],
    "properties": {"sdp": {"type": "string"}, "session": schema_of(SessionConfig)},
}


def router(_settings: Settings, state: State) -> APIRouter:
    """`/v1/realtime/calls`."""
    routes = APIRouter()

    @routes.post(
        "/v1/realtime/calls",
        status_code=201,
        response_class=SdpResponse,
        responses={
            202: {"description": "In line", "content": {"application/json": {}}},
            **refusals(*ADMITTED, 400, 410, 413, 503),
        },
        openapi_extra=takes(SDP_BODY | {"multipart/form-data": {"schema": _FORM}}),
    )
    async def start_call(request: Request) -> Response:
        caller = state.access.admit(request)
        calls = state.ready
        offer, session = await _read_offer(request)
        caller = _as_asked(caller, session)
        session = as_fixed(session, caller)
        try:
            speak = partial(Realtime, wanted=session, fixed=fixed_for(caller))
            call_id, answer = await calls.start(offer, session.call_config(), speak, caller)
        except ServerFullError:
            if not (caller.ticket or _wants_to_wait(request, session)):
                raise
            return stand_in_line(calls.places.line, caller)
        return Response(
            answer,
            201,
            media_type="application/sdp",
            headers={"Location": f"/v1/realtime/calls/{call_id}"},
        )

    @routes.post(
        "/v1/realtime/calls/{call_id}/hangup",
        response_class=Response,
        responses=refusals(404, 503),
    )
    async def hang_up(request: Request, call_id: str) -> Response:
        # Knowing the call is enough: a page that is left sends a beacon, which carries no key.
        for_good = request.query_params.get("resume") != "true"
        if not state.ready.hang_up(call_id, for_good=for_good):
            raise ApiError(404, "call_not_found", "There is no such call; it may have ended.")
        return Response(status_code=200)

    return routes


def fixed_for(caller: Caller) -> Mapping[str, Any]:
    """What the caller's client secret says of the session."""
    return caller.secret.session if caller.secret else {}


def as_fixed(session: SessionConfig, caller: Caller) -> SessionConfig:
    """What is asked, with what the caller's client secret says put over it."""
    if caller.secret is None:
        return session
    asked = with_fixed(session.model_dump(exclude_unset=True), caller.secret.session)
    return SessionConfig.model_validate(asked)


def _as_asked(caller: Caller, session: SessionConfig) -> Caller:
    """The caller, with what the body says of the line and of a call to go on with."""
    asked = session.avatar
    if asked is None:
        return caller
    return replace(
        caller,
        ticket=asked.ticket or caller.ticket,
        resume_token=asked.resume_token or caller.resume_token,
    )


def _wants_to_wait(request: Request, session: SessionConfig) -> bool:
    preferences = request.headers.get("prefer", "").lower().split(",")
    prefers = any(p.partition(";")[0].partition("=")[0].strip() == "wait" for p in preferences)
    return prefers or (session.avatar is not None and session.avatar.queue is True)


async def _read_offer(request: Request) -> tuple[str, SessionConfig]:
    """The offer and the session that the client asks for, raw or as a form."""
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
        ApiError: It is too large, or no text.
    """
    body = await request.body()
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "invalid_sdp", "The offer is not text.") from error
