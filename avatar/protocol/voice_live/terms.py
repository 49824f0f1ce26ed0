"""What of a Voice Live session is done as asked, what nearly, and what is refused.

docs/voice-live.md says the same for people.
"""

from dataclasses import dataclass

from avatar.protocol.voice_live.request import AskedSession, Avatar, TurnDetection, Video, Voice
from speech.types import Language

MIN_BITRATE_BPS = 100_000
"""Less is no picture."""

_INPUT_RATES_HZ = (8_000, 16_000, 24_000)


class NotOfferedError(Exception):
    """Something that is asked for can't be done.

    Attributes:
        param: Where in the session it stands.
        message: What to ask for in its place.
    """

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = f"session.{param}"
        self.message = message


@dataclass(frozen=True, slots=True)
class Offered:
    """What this server has.

    Attributes:
        languages: It speaks and understands.
        character: The face's name.
        width: Of its picture, in pixels.
        height: Of its picture, in pixels.
        bitrate_bps: Of its video at most.
    """

    languages: tuple[Language, ...]
    character: str
    width: int
    height: int
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is done otherwise than asked: a `warning`.

    Attributes:
        code: For programs.
        param: Where in the session it stands.
        message: What is done.
    """

    code: str
    param: str
    message: str


def check(asked: AskedSession, offered: Offered) -> list[Remark]:
    """Look through what is asked.

    Returns:
        What is done otherwise.

    Raises:
        NotOfferedError: Something can't be done: nothing is, then.
    """
    _check_kinds(asked)
    conversation_language(asked, offered)
    remarks = _remarks_on_sound(asked)
    if asked.avatar is not None:
        remarks += _check_avatar(asked.avatar, offered)
    return remarks


def conversation_language(asked: AskedSession, offered: Offered) -> Language | None:
    """The language that voice and transcription ask for; None if they ask for none.

    Raises:
        NotOfferedError: It is none of ours, or they disagree.
    """
    wanted: dict[str, str] = {}
    if asked.input_audio_transcription and asked.input_audio_transcription.language:
        wanted["input_audio_transcription.language"] = asked.input_audio_transcription.language
    locale = _locale(asked.spoken) if asked.spoken else None
    if locale:
        wanted["voice"] = locale
    found: Language | None = None
    for param, tag in wanted.items():
        spoken = next((own for own in offered.languages if tag.lower().split("-")[0] == own), None)
        if spoken is None:
            ours = ", ".join(sorted(offered.languages))
            raise NotOfferedError(param, f"{tag[:40]!r} is not spoken here; choose one of: {ours}.")
        if found not in (None, spoken):
            raise NotOfferedError(
                param, "A conversation has one language; ask for a voice and a transcription of it."
            )
        found = spoken
    return found


def video_bitrate_bps(avatar: Avatar | None, offered: Offered) -> int:
    """Of the avatar's video: what is asked for, or what is possible."""
    asked = avatar.video.bitrate if avatar and avatar.video else None
    return min(asked or offered.bitrate_bps, offered.bitrate_bps)


def _locale(voice: Voice) -> str | None:
    """Of an Azure voice, as 'en-US' of 'en-US-AvaNeural'; the others speak every language."""
    if voice.type != "azure-standard" or voice.name is None:
        return None
    return "-".join(voice.name.split("-")[:2])


def _check_kinds(asked: AskedSession) -> None:
    if asked.spoken and asked.spoken.type in ("azure-custom", "azure-personal"):
        raise NotOfferedError(
            "voice", "Voices made at Azure are not here; ask for azure-standard, or for no voice."
        )
    if asked.input_audio_sampling_rate not in (None, *_INPUT_RATES_HZ):
        raise NotOfferedError("input_audio_sampling_rate", "PCM has 16000 or 24000 Hz, G.711 8000.")
    if asked.interim_response is not None:
        raise NotOfferedError(
            "interim_response",
            "Late answers are covered by the persona's own openers; leave it out.",
        )
    echo = asked.input_audio_echo_cancellation
    if echo and (echo.reference_source == "client" or (echo.channels or 1) != 1):
        raise NotOfferedError(
            "input_audio_echo_cancellation",
            "The reference is the avatar's own voice, and the microphone has one channel.",
        )


def _remarks_on_sound(asked: AskedSession) -> list[Remark]:
    remarks = []
    if asked.spoken is not None:
        message = "It is spoken by the server's own voice of that language (docs/voices.md)."
        remarks.append(Remark("voice_mapped", "session.voice", message))
    if asked.input_audio_noise_reduction is not None:
        remarks.append(
            Remark(
                "not_applied",
                "session.input_audio_noise_reduction",
                "The microphone is heard as it is; the recognisers stand noise.",
            )
        )
    transcription = asked.input_audio_transcription
    if transcription and (transcription.custom_speech or transcription.phrase_list):
        message = "The recogniser takes no hints; what is left of it is done."
        remarks.append(Remark("not_applied", "session.input_audio_transcription", message))
    if asked.turn_detection is not None and (unused := _unused(asked.turn_detection)):
        message = f"Our own turn detection has no use for {', '.join(unused)}."
        remarks.append(Remark("not_applied", "session.turn_detection", message))
    ignored = [
        name
        for name in ("temperature", "reasoning_effort", "include", "metadata")
        if getattr(asked, name) is not None
    ]
    return remarks + [
        Remark("not_applied", f"session.{name}", "The server's own setting holds.")
        for name in ignored
    ]


def _unused(asked: TurnDetection) -> list[str]:
    """What of a turn detection changes nothing here."""
    names = ["speech_duration_ms", "end_of_utterance_detection", "languages"]
    if asked.type != "server_vad":
        names += ["threshold", "prefix_padding_ms", "silence_duration_ms"]
    return [name for name in names if getattr(asked, name) is not None]


def _check_avatar(avatar: Avatar, offered: Offered) -> list[Remark]:
    if avatar.customized:
        raise NotOfferedError(
            "avatar.customized", "Faces are chosen by the server's setting face.name."
        )
    if avatar.output_protocol == "websocket":
        raise NotOfferedError("avatar.output_protocol", "The picture comes by WebRTC only.")
    if avatar.scene is not None:
        raise NotOfferedError("avatar.scene", "The camera does not move; leave it out.")
    if avatar.video is not None:
        _check_video(avatar.video, offered)
    if avatar.character == offered.character:
        return []
    message = f"This server's face is {offered.character!r}; it is the one that is shown."
    return [Remark("avatar_mapped", "session.avatar.character", message)]


def _check_video(video: Video, offered: Offered) -> None:
    size = (offered.width, offered.height)
    if video.resolution and (video.resolution.width, video.resolution.height) != size:
        raise NotOfferedError(
            "avatar.video.resolution",
            f"The picture has {size[0]}x{size[1]} pixels: the server's face.width and face.height.",
        )
    if video.crop and (video.crop.top_left, video.crop.bottom_right) != ((0, 0), size):
        raise NotOfferedError(
            "avatar.video.crop", "The picture is not cut; crop it where it is shown."
        )
    if video.background is not None:
        raise NotOfferedError(
            "avatar.video.background", "The background is part of the face; leave it out."
        )
    if video.gop_size is not None:
        raise NotOfferedError(
            "avatar.video.gop_size",
            "Complete pictures are sent when they are needed; leave it out.",
        )
    if video.bitrate is not None and video.bitrate < MIN_BITRATE_BPS:
        raise NotOfferedError("avatar.video.bitrate", f"It is at least {MIN_BITRATE_BPS}.")
