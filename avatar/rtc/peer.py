"""One client's WebRTC connection, from its offer to its hang-up."""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from aiortc import MediaStreamTrack, RTCDataChannel, RTCRtpTransceiver
from aiortc.rtp import RtpPacket

from avatar.rtc import aiortc_private
from avatar.rtc.clock import MediaClock
from avatar.rtc.connection import Connection
from avatar.rtc.encoders import MediaEncoder, OpusEncoder, video_encoder
from avatar.rtc.events_channel import EventsChannel
from avatar.rtc.microphone import Microphone, MicrophoneStats
from avatar.rtc.offer import Offer, parse_offer
from avatar.rtc.poses_channel import LABEL as POSES_LABEL
from avatar.rtc.poses_channel import PosesChannel
from avatar.rtc.sender import MediaSender, NtpTimeline, SenderStats
from avatar.rtc.tracks import VIDEO_CLOCK_HZ, AudioOut, FrameSource, VideoOut
from avatar.rtc.watcher import Show
from avatar.settings import RtcSettings
from render.types import SPEECH_CLOCK_HZ, VideoFrame
from speech.errors import SignallingError
from speech.types import AudioFrame

VIDEO_CODECS = ("video/VP8", "video/H264")
"""In order of preference: VP8 costs half as much."""


@dataclass(frozen=True, slots=True)
class PeerStats:
    """What the connection cost and lost so far.

    Attributes:
        audio: Sending the voice.
        video: Sending the face; None when the client takes no video.
        video_dropped: Pictures that were not newer than the one before.
        microphone: What became of the client's audio.
        round_trip_s: To the client and back, in seconds; None until it is known.
        clock_held_s: Seconds by which stalls of this process held the media clock back.
    """

    audio: SenderStats
    video: SenderStats | None
    video_dropped: int
    microphone: MicrophoneStats
    round_trip_s: float | None
    clock_held_s: float


class Peer:
    """A client that we answered. Make one with `answer`; always `close` it.

    Attributes:
        offer: What the client asked for.
        connected: Media flows.
        closed: The client is gone.
    """

    def __init__(
        self,
        offer: Offer,
        clock: MediaClock,
        settings: RtcSettings,
        poses_changed: Callable[[], None],
    ) -> None:
        self.offer = offer
        self._clock = clock
        self._settings = settings
        self._connection = Connection(settings, ended=self._ended)
        self.connected = self._connection.connected
        self.closed = self._connection.closed
        self._timeline = NtpTimeline()
        self._microphone = Microphone()
        self._events = EventsChannel(
            overflow=partial(self._connection.end, "the client reads no events")
        )
        self._poses = PosesChannel(poses_changed)
        self._senders: dict[str, MediaSender] = {}
        self._face_codec = VIDEO_CODECS[0]
        self._video: VideoOut | None = None
        self._frames: AsyncGenerator[VideoFrame, None] | None = None

    @classmethod
    async def answer(
        cls,
        offer_sdp: str,
        *,
        audio: FrameSource,
        video: AsyncGenerator[VideoFrame, None] | None,
        clock: MediaClock,
        settings: RtcSettings,
        poses_changed: Callable[[], None] = lambda: None,
        take_over: Callable[[], int] = lambda: 0,
        video_codecs: tuple[str, ...] = VIDEO_CODECS,
    ) -> Self:
        """Answer a client's offer; media starts to flow by itself when it connects.

        Args:
            offer_sdp: The offer, with all its candidates, some or none: see `add_candidates`.
            audio: Played to the client, one frame every 20 ms from when it is connected.
            video: Shown to the client if it offers to receive video. Pulled only while it is
                connected; closed by `close`, or at once if the client takes no video.
            clock: The call's clock; the first track that sends starts it.
            settings: ICE servers, bitrate.
            poses_changed: Called when the client begins or ceases to take poses.
            take_over: Called before the first sound leaves: stops whoever else plays `audio`, and
                says which sample of it comes next.
            video_codecs: In order of preference; the client's offer decides.

        Raises:
            SignallingError: The offer is malformed or can't be answered.
            ConfigError: `settings` has a malformed ICE server.
        """
        peer = cls(parse_offer(offer_sdp), clock, settings, poses_changed)
        try:
            peer._add_lines(AudioOut(audio, clock, take_over), video, video_codecs)
            peer._connection.pc.on("datachannel", peer._attach)
            await peer._connection.answer(peer.offer.sdp)
        except BaseException:
            await peer.close()
            raise
        return peer

    @property
    def answer_sdp(self) -> str:
        """The SDP answer, with all candidates."""
        return self._connection.answer_sdp

    @property
    def reason(self) -> str:
        """Why `closed` is set; empty until then."""
        return self._connection.reason

    def microphone(self) -> AsyncGenerator[AudioFrame, None]:
        """The client's voice: int16 mono at 16 kHz, continuous; ends when the client is gone.

        For one listener. If the offer sends no audio, nothing comes.
        """
        return self._microphone.frames()

    def events_in(self) -> AsyncGenerator[str, None]:
        """Text messages of the client's first data channel, in order, until it is gone."""
        return self._events.messages()

    def send(self, text: str) -> None:
        """Send a text message on the data channel, or keep it until that opens.

        Never waits. A client that reads nothing is given up (`closed`); after that, and when it
        never opens a channel, messages are dropped.
        """
        self._events.send(text)

    async def add_candidates(self, lines: Iterable[str]) -> None:
        """Try these addresses of the client too, which it found after its offer (trickle ICE).

        Args:
            lines: As `RTCIceCandidate.candidate`.

        Raises:
            SignallingError: One is malformed; none is taken.
        """
        await self._connection.add_candidates(lines)

    async def renegotiate(self, offer_sdp: str) -> str:
        """Answer another offer on the same connection; the answer.

        Raises:
            SignallingError: It is malformed, or asks for something else than the first: that
                takes a connection of its own.
        """
        offer = parse_offer(offer_sdp)
        if offer.uses != self.offer.uses or offer.credentials != self.offer.credentials:
            raise SignallingError(
                "A later offer can't change the media or restart ICE; make a new connection."
            )
        await self._connection.answer(offer.sdp)
        return self.answer_sdp

    @property
    def takes_video(self) -> bool:
        """Whether the client's offer has a line for the face."""
        return self.offer.wants_face

    @property
    def takes_poses(self) -> bool:
        """Whether the client draws the face: its data channel `avatar.poses` is open."""
        return self._poses.is_open

    def send_poses(self, message: bytes) -> bool:
        """Send poses, if the client takes them; False if they were dropped. Never waits."""
        return self._poses.send(message)

    def audio_timestamp(self, sample: int) -> int | None:
        """RTP timestamp, modulo 2^32, that the audio of a sample carries; None before any left."""
        origin = self._senders["audio"].rtp_origin
        return None if origin is None else (origin + self._clock.stamp(sample)) % 2**32

    def send_keyframe(self) -> None:
        """Make the next picture a complete one, as the first after a pause should be."""
        if "video" in self._senders:
            self._senders["video"].request_keyframe()

    def show(self) -> Show | None:
        """What others may watch of the call; None until it is connected."""
        if not self.connected.is_set():
            return None
        face = self._senders.get("video")
        return Show(
            voice=self._senders["audio"],
            face=face,
            face_codec=self._face_codec,
            clock=self._clock,
            timeline=self._timeline,
            send_keyframe=self.send_keyframe,
        )

    def stats(self) -> PeerStats:
        """What the connection cost and lost so far."""
        voice, face = self._senders["audio"], self._senders.get("video")
        return PeerStats(
            audio=voice.stats,
            video=face.stats if face else None,
            video_dropped=self._video.dropped if self._video else 0,
            microphone=self._microphone.stats,
            round_trip_s=voice.round_trip_s,
            clock_held_s=self._clock.held_s,
        )

    async def close(self) -> None:
        """Hang up and free sockets, threads and codecs. May be called again, and concurrently."""
        if not await self._connection.close():
            self._frames = None  # its sender may still be pulling it
        for sender in self._senders.values():
            sender.release()
        frames, self._frames = self._frames, None
        if frames is not None:
            await frames.aclose()

    def _add_lines(
        self,
        voice: AudioOut,
        video: AsyncGenerator[VideoFrame, None] | None,
        video_codecs: tuple[str, ...],
    ) -> None:
        """Prepare for the offer's audio and video lines, in order."""
        self._frames = video
        tracks: dict[str, MediaStreamTrack] = {"voice": voice}
        if video is not None and self.offer.wants_face:
            tracks["face"] = self._video = VideoOut(video, self._clock)
        for kind, use in self.offer.uses:
            codecs = ("audio/opus",) if kind == "audio" else video_codecs
            self._add_line(kind, tracks.get(use), codecs)

    def _add_line(self, kind: str, track: MediaStreamTrack | None, codecs: tuple[str, ...]) -> None:
        """Prepare the transceiver that the offer's next m-line of this kind will get."""
        if track is None:
            self._connection.refuse_line(kind)
            return
        is_voice = kind == "audio"
        direction = "sendrecv" if is_voice else "sendonly"
        transceiver = self._connection.add_line(track, direction, codecs)
        sender = MediaSender(
            track,
            transceiver.sender.transport,
            clock=self._clock,
            timeline=self._timeline,
            rate_hz=SPEECH_CLOCK_HZ if is_voice else VIDEO_CLOCK_HZ,
            make_encoder=partial(self._make_encoder, transceiver),
            heard=self._connection.hear,
        )
        self._senders[kind] = sender
        aiortc_private.use_sender(transceiver, sender)
        if is_voice:
            aiortc_private.tap_packets(transceiver.receiver, self._take_packet)

    def _make_encoder(self, transceiver: RTCRtpTransceiver) -> MediaEncoder[Any]:
        if transceiver.kind == "audio":
            return OpusEncoder()
        self._face_codec = mime_type = aiortc_private.negotiated_codec(transceiver).mimeType
        return video_encoder(mime_type, self._settings.video_bitrate_bps)

    def _attach(self, channel: RTCDataChannel) -> None:
        if channel.label == POSES_LABEL:
            self._poses.attach(channel)
        else:
            self._events.attach(channel)

    def _take_packet(self, packet: RtpPacket) -> None:
        self._connection.hear()
        self._microphone.take(packet)

    def _ended(self) -> None:
        self._microphone.end()
        self._events.end()
