"""The OpenAI Realtime API over a WebSocket: sound and events on one line."""

from functools import partial

from fastapi import APIRouter, WebSocket

from avatar.protocol.config import CallConfig
from avatar.protocol.events import SessionConfig
from avatar.protocol.realtime import Realtime
from avatar.routes.calls import as_fixed, fixed_for
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.settings import Settings
from avatar.websocket.line import WebSocketLine

SUBPROTOCOL = "realtime"
"""Named by browsers, which can't send a header, beside the one that holds their key."""


def router(_settings: Settings, state: State) -> APIRouter:
    """`/v1/realtime`."""
    routes = APIRouter()

    @routes.websocket("/v1/realtime")
    async def talk(socket: WebSocket) -> None:
        caller = state.access.admit(socket)
        calls = state.ready
        _check_query(socket)
        config = CallConfig()
        entry = await calls.enter(config, caller)
        try:
            await socket.accept(_subprotocol(socket))
        except BaseException:
            calls.turn_away(entry)
            raise
        line = WebSocketLine(socket)
        wanted = as_fixed(SessionConfig(), caller) if caller.secret else None
        speak = partial(Realtime, line=line, wanted=wanted, fixed=fixed_for(caller))
        calls.hold(line.connect, config, speak, entry)
        await line.run()

    return routes


def _check_query(socket: WebSocket) -> None:
    """Refuse what the URL asks for and isn't here; any `model` will do."""
    if socket.query_params.get("intent", "conversation") != "conversation":
        raise ApiError(
            400,
            "unsupported_intent",
            "There are no transcription sessions here: connect without 'intent'.",
        )
    if "call_id" in socket.query_params:
        raise ApiError(
            400,
            "unsupported_parameter",
            "A call's events come on its own data channel; it can't be joined from elsewhere.",
        )


def _subprotocol(socket: WebSocket) -> str | None:
    """The one to answer with: a client that offers some takes no connection without."""
    offered = socket.headers.get("sec-websocket-protocol", "").split(",")
    return SUBPROTOCOL if SUBPROTOCOL in (name.strip() for name in offered) else None
