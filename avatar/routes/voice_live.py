"""Azure Voice Live: calls over a WebSocket, their avatar by WebRTC (docs/voice-live.md)."""

from fastapi import APIRouter, WebSocket

from avatar.face.library import face_folder
from avatar.protocol.config import CallConfig
from avatar.protocol.dialect import Doors
from avatar.protocol.voice_live.dialect import VoiceLive
from avatar.protocol.voice_live.terms import Offered
from avatar.protocol.voice_live.transport import VoiceLiveTransport
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.rtc.ice import browser_ice_servers
from avatar.settings import Settings
from avatar.websocket.line import WebSocketLine
from speech.types import Language


def router(settings: Settings, state: State) -> APIRouter:
    """`/voice-live/realtime`."""
    routes = APIRouter()

    @routes.websocket("/voice-live/realtime")
    async def talk(socket: WebSocket) -> None:
        caller = state.access.admit(socket)
        calls = state.ready
        _check_query(socket)
        entry = await calls.enter(CallConfig(), caller)
        try:
            await socket.accept()
        except BaseException:
            calls.turn_away(entry)
            raise
        line = WebSocketLine(socket)
        transport = VoiceLiveTransport(line, settings.rtc)
        offered = _offered(settings, tuple(calls.engines.voices))

        def speak(doors: Doors) -> VoiceLive:
            servers = browser_ice_servers(settings.rtc)
            dialect = VoiceLive(doors, offered, servers, transport, line)
            transport.signals = dialect
            return dialect

        transport.stage = calls.hold(transport.connect, CallConfig(), speak, entry)
        await transport.run()

    return routes


def _check_query(socket: WebSocket) -> None:
    """Refuse what the URL asks for and isn't here; any `api-version` and `model` will do."""
    if any(name.startswith("agent-") for name in socket.query_params):
        raise ApiError(
            400,
            "agents_not_supported",
            "There are no Foundry agents here: connect with a model, and say who the avatar is in "
            "the server's persona and the session's instructions.",
        )


def _offered(settings: Settings, languages: tuple[Language, ...]) -> Offered:
    return Offered(
        languages=languages,
        character=face_folder(settings.face.name).name,
        width=settings.face.width,
        height=settings.face.height,
        bitrate_bps=settings.rtc.video_bitrate_bps,
    )
