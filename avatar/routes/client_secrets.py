"""Client secrets in the shape of the OpenAI Realtime API: a key buys one, a browser uses it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.access.client_secrets import (
    LONGEST_S,
    SHORTEST_S,
    USUAL_S,
    ClientSecret,
    TooManySecretsError,
)
from avatar.access.fixing import fixable
from avatar.events import new_id
from avatar.protocol.events import SessionConfig, explain_config
from avatar.protocol.realtime.session import MODEL, call_config
from avatar.routes.calls import read_text
from avatar.routes.documented import ADMITTED, json_body, refusals, takes
from avatar.routes.errors import BUSY_RETRY_S, ApiError, later
from avatar.routes.state import State
from avatar.settings import Settings

MAX_SESSION_CHARS = 64_000


class _ExpiresAfter(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(USUAL_S, ge=SHORTEST_S, le=LONGEST_S)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    expires_after: _ExpiresAfter = _ExpiresAfter()
    session: dict[str, Any] = {}


def router(_settings: Settings, state: State) -> APIRouter:
    """`/v1/realtime/client_secrets`."""
    routes = APIRouter()

    @routes.post(
        "/v1/realtime/client_secrets",
        responses=refusals(*ADMITTED, 400, 413),
        openapi_extra=takes(json_body(_Request), required=False),
    )
    async def make(request: Request) -> dict[str, object]:
        caller = state.access.admit(request, "manage")
        body = await read_text(request)
        if len(body) > MAX_SESSION_CHARS:  # it is kept until it expires
            limit = f"A client secret's request has at most {MAX_SESSION_CHARS} characters."
            raise ApiError(413, "too_large", limit)
        asked = _parsed(body)
        _session(asked.session)
        session = _session(fixable(asked.session))
        now_s, seconds = asyncio.get_running_loop().time(), asked.expires_after.seconds
        secret = ClientSecret(
            caller.key.id if caller.key else "",
            call_config(session),
            session.model_dump(exclude_unset=True),
            now_s + seconds,
        )
        try:
            value = state.access.secrets.make(secret, now_s)
        except TooManySecretsError:
            raise later(
                "too_many_secrets", "Too many client secrets are valid at once.", BUSY_RETRY_S
            ) from None
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "value": value,
            "expires_at": int(expires.timestamp()),
            "session": {
                "output_modalities": ["audio"],
                **asked.session,
                "type": "realtime",
                "object": "realtime.session",
                "id": new_id("sess"),
                "model": MODEL,
            },
        }

    return routes


def _parsed(body: str) -> _Request:
    try:
        return _Request.model_validate_json(body or "{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise ApiError(400, "invalid_request", f"{where}: {first['msg']}") from error


def _session(asked: dict[str, Any]) -> SessionConfig:
    try:
        return SessionConfig.model_validate(asked)
    except ValidationError as error:
        raise ApiError(400, "invalid_session", explain_config(error)) from error
