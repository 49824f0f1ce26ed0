"""The line for a place: where one stands in it, asked again and again or streamed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from avatar.access.caller import Caller
from avatar.access.queue import Line, Standing
from avatar.routes.documented import ADMITTED, refusals
from avatar.routes.state import State
from avatar.settings import Settings
from speech.errors import TicketError

POLL_EVERY_S = 5
"""How often a client should ask; the line forgives two that are lost."""

_PATH = "/v1/realtime/queue/"
_FRESH = {"Cache-Control": "no-store"}


def stand_in_line(line: Line, caller: Caller) -> Response:
    """`202`: the caller's ticket, a new one if they have none.

    Raises:
        QueueFullError: Too many wait already.
        CallLimitError: From their key or address too many wait already.
        TicketError: Their ticket is not, or no longer, one.
    """
    owner = caller.key_owner
    ticket = caller.ticket or line.join(owner, caller.visitor)
    standing = line.ask(ticket, owner)
    headers = {
        "Location": _PATH + ticket,
        "Retry-After": str(POLL_EVERY_S),
        "Preference-Applied": "wait",
    }
    return JSONResponse({"ticket": ticket, **_described(standing)}, 202, headers | _FRESH)


def router(_settings: Settings, state: State) -> APIRouter:
    """`/v1/realtime/queue/{ticket}`."""
    routes = APIRouter()

    @routes.get(
        _PATH + "{ticket}",
        responses={
            200: {"content": {"application/json": {}, "text/event-stream": {}}},
            **refusals(*ADMITTED, 410, 503),
        },
    )
    async def ask(request: Request, ticket: str) -> Response:
        owner = state.access.admit(request).key_owner
        line = state.ready.places.line
        standing = line.ask(ticket, owner)
        if "text/event-stream" in request.headers.get("accept", ""):
            stream = _stream(line, ticket, owner)
            return StreamingResponse(stream, media_type="text/event-stream", headers=_FRESH)
        return JSONResponse(
            {"ticket": ticket, **_described(standing)},
            headers={"Retry-After": str(POLL_EVERY_S)} | _FRESH,
        )

    @routes.delete(_PATH + "{ticket}", status_code=204, responses=refusals(*ADMITTED, 410, 503))
    async def leave(request: Request, ticket: str) -> Response:
        owner = state.access.admit(request).key_owner
        state.ready.places.line.leave(ticket, owner)
        return Response(status_code=204)

    return routes


async def _stream(line: Line, ticket: str, owner: str) -> AsyncIterator[str]:
    """Server-sent events: where the ticket stands, until a place is ready or it is none any more.

    As long as somebody reads them, the ticket is asked about.
    """
    moved = asyncio.Event()
    with line.watched(moved.set), suppress(TicketError):
        while True:
            standing = line.ask(ticket, owner)
            yield f"event: {standing.status}\ndata: {json.dumps(_described(standing))}\n\n"
            if standing.status == "ready":
                return
            moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(line.patience_s(POLL_EVERY_S)):
                    await moved.wait()


def _described(standing: Standing) -> dict[str, object]:
    return {"object": "avatar.queue.ticket", **asdict(standing)}
