"""What client and server have agreed on for one session, in either protocol's words."""

from collections.abc import Mapping, Sequence

from avatar.protocol.realtime import MODEL
from avatar.protocol.voice_live.names import Json
from avatar.protocol.voice_live.request import AskedSession, Avatar, TurnDetection
from avatar.protocol.voice_live.terms import Offered, conversation_language, video_bitrate_bps
from avatar.websocket.coding import PCM_RATE_HZ
from speech import g711

_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_PCM_RATES_HZ = {"pcm16": PCM_RATE_HZ, "pcm16_8000hz": 8_000, "pcm16_16000hz": 16_000}

_SEMANTIC = ("create_response", "interrupt_response")
_BY_SILENCE = (*_SEMANTIC, "threshold", "prefix_padding_ms", "silence_duration_ms")

_ONWARD = ("instructions", "tools", "parallel_tool_calls")

_PLACES = {
    "session.audio.input.turn_detection": "session.turn_detection",
    "session.audio.input.format": "session.input_audio_format",
    "session.audio.input.transcription": "session.input_audio_transcription",
    "session.audio.output.format": "session.output_audio_format",
    "session.max_output_tokens": "session.max_response_output_tokens",
}
"""Where a client of Voice Live has what the Realtime protocol has elsewhere."""


class Agreed:
    """A session's terms.

    Args:
        offered: What this server has.
        ice_servers: For the client's end of the avatar's connection.

    Attributes:
        asked: Everything that was agreed to, the newest wins.
    """

    def __init__(self, offered: Offered, ice_servers: Sequence[Mapping[str, object]]) -> None:
        self.asked = AskedSession()
        self._offered = offered
        self._ice_servers = [_ice_server(server) for server in ice_servers]

    def update(self, asked: AskedSession) -> None:
        """Take over what a client asked for and may have."""
        said = {name: getattr(asked, name) for name in asked.model_fields_set}
        self.asked = self.asked.model_copy(update=said)

    def view(self, session_id: str, instructions: str, *, is_recorded: bool) -> Json:
        """The session as `session.created` and `session.updated` show it."""
        spoken = self.asked.model_dump(mode="json", exclude_none=True)
        return {
            "modalities": ["text", "audio"],
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "input_audio_sampling_rate": self.input_rate_hz,
            "turn_detection": {"type": "azure_semantic_vad_multilingual"},
            "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
            "tools": [],
            "tool_choice": "auto",
            "max_response_output_tokens": "inf",
            **spoken,
            **({"turn_detection": None} if self._takes_turns_by_hand else {}),
            **(
                {"avatar": self._avatar(self.asked.avatar, is_recorded)}
                if self.asked.avatar
                else {}
            ),
            "id": session_id,
            "object": "realtime.session",
            "model": MODEL,
            "instructions": instructions,
        }

    def in_realtime(self, asked: AskedSession) -> Json:
        """The part of it that is the Realtime protocol's, as its `session.update` has it."""
        session: Json = {"type": "realtime"}
        spoken = asked.model_dump(mode="json", include=set(_ONWARD), exclude_none=True)
        session.update(spoken)
        if asked.modalities:
            session["output_modalities"] = ["audio" if "audio" in asked.modalities else "text"]
        if asked.tool_choice is not None:
            session["tool_choice"] = _tool_choice(asked.tool_choice)
        if asked.max_response_output_tokens is not None:
            session["max_output_tokens"] = asked.max_response_output_tokens
        if asked.avatar is not None and asked.avatar.recording is not None:
            session["avatar"] = {"recording": asked.avatar.recording}
        audio = {"input": self._input(asked), "output": _output(asked)}
        if any(audio.values()):
            session["audio"] = {way: said for way, said in audio.items() if said}
        return session

    @property
    def input_rate_hz(self) -> int:
        """Samples a second of the client's audio."""
        if self.asked.input_audio_format in ("g711_ulaw", "g711_alaw"):
            return g711.RATE_HZ
        return self.asked.input_audio_sampling_rate or PCM_RATE_HZ

    @property
    def output_pcm_rate_hz(self) -> int | None:
        """Samples a second of the avatar's audio; None if it is no PCM."""
        return _PCM_RATES_HZ.get(self.asked.output_audio_format or "pcm16")

    @property
    def takes_pcm(self) -> bool:
        """Whether the client's audio is PCM."""
        return (self.asked.input_audio_format or "pcm16") == "pcm16"

    @property
    def _takes_turns_by_hand(self) -> bool:
        said = "turn_detection" in self.asked.model_fields_set
        return said and self.asked.turn_detection is None

    def _input(self, asked: AskedSession) -> Json:
        said: Json = {}
        if asked.input_audio_format:
            said["format"] = {"type": _FORMATS[asked.input_audio_format]}
        if "turn_detection" in asked.model_fields_set:
            said["turn_detection"] = _turn_detection(asked.turn_detection)
        language = conversation_language(asked, self._offered)
        if language is not None:
            said["transcription"] = {"language": language}
        return said

    def _avatar(self, avatar: Avatar, is_recorded: bool) -> Json:
        offered = self._offered
        own = [server.model_dump(exclude_none=True) for server in avatar.ice_servers or ()]
        video: Json = {
            "bitrate": video_bitrate_bps(avatar, offered),
            "resolution": {"width": offered.width, "height": offered.height},
        }
        if avatar.video and avatar.video.codec:
            video["codec"] = avatar.video.codec
        return {
            "type": avatar.type or "video-avatar",
            "character": offered.character,
            "customized": False,
            "ice_servers": own or self._ice_servers,
            "output_protocol": "webrtc",
            "output_audit_audio": bool(avatar.output_audit_audio),
            "video": video,
            **({"recording": is_recorded} if avatar.recording is not None else {}),
        }


def _tool_choice(choice: str | Mapping[str, object]) -> object:
    """A bare name is a function's."""
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        return {"type": "function", "name": choice}
    return choice


def _output(asked: AskedSession) -> Json:
    name = asked.output_audio_format
    if name is None:
        return {}
    return {"format": {"type": "audio/pcm" if name in _PCM_RATES_HZ else _FORMATS[name]}}


def _turn_detection(asked: TurnDetection | None) -> Json | None:
    """Azure's semantic kinds as `semantic_vad`: our own model decides when a turn is over."""
    if asked is None:
        return None
    by_silence = asked.type == "server_vad"
    said = asked.model_dump(
        include=set(_BY_SILENCE if by_silence else _SEMANTIC), exclude_none=True
    )
    return {"type": "server_vad" if by_silence else "semantic_vad", **said}


def _ice_server(server: Mapping[str, object]) -> Json:
    """As Voice Live has it: its URLs are always a list."""
    urls = server["urls"]
    return {**server, "urls": [urls] if isinstance(urls, str) else list(_strings(urls))}


def _strings(urls: object) -> list[str]:
    return [str(url) for url in urls] if isinstance(urls, list | tuple) else []


def placed(event: Json) -> Json:
    """An `error` whose `param` is where a client of Voice Live has it."""
    error = event["error"]
    if not isinstance(error, dict):
        return event
    param = error.get("param")
    if not isinstance(param, str):
        return event
    known = next((place for place in _PLACES if param.startswith(place)), None)
    if known is None:
        return event
    return {**event, "error": {**error, "param": _PLACES[known] + param.removeprefix(known)}}
