"""One client that watches a call: it is sent the sound and the pictures, and sends nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from avatar.rtc import aiortc_private
from avatar.rtc.clock import MediaClock
from avatar.rtc.connection import Connection
from avatar.rtc.offer import Offer, parse_offer
from avatar.rtc.relay import Placeholder, RelaySender
from avatar.rtc.sender import MediaSender, NtpTimeline
from avatar.rtc.tracks import VIDEO_CLOCK_HZ
from avatar.settings import RtcSettings
from render.types import SPEECH_CLOCK_HZ


@dataclass(frozen=True, slots=True)
class Show:
    """What there is to be watched of a call.

    Attributes:
        voice: Sends its sound.
        face: Sends its pictures; None where none are sent.
        face_codec: MIME type of the pictures, as 'video/VP8'.
        clock: The call's.
        timeline: The call's.
        send_keyframe: Makes the next picture a complete one.
    """

    voice: MediaSender
    face: MediaSender | None
    face_codec: str
    clock: MediaClock
    timeline: NtpTimeline
    send_keyframe: Callable[[], None]


class Watcher:
    """A watcher that we answered. Make one with `answer`; always `close` it.

    Attributes:
        closed: The client is gone.
    """

    def __init__(self, offer: Offer, settings: RtcSettings) -> None:
        self.offer = offer
        self._connection = Connection(settings)
        self.connected = self._connection.connected
        self.closed = self._connection.closed
        self._senders: list[RelaySender] = []

    @classmethod
    async def answer(
        cls,
        offer_sdp: str,
        show: Show,
        settings: RtcSettings,
        want_keyframe: Callable[[], None],
    ) -> Self:
        """Answer a watcher's offer.

        Args:
            offer_sdp: Of a player: it receives audio, and video if it likes.
            show: What it is sent.
            settings: ICE servers.
            want_keyframe: Called when it needs a complete picture.

        Raises:
            SignallingError: The offer is malformed or can't be answered.
        """
        watcher = cls(parse_offer(offer_sdp), settings)
        try:
            for kind, use in watcher.offer.uses:
                watcher._add_line(kind, use, show, want_keyframe)
            await watcher._connection.answer(watcher.offer.sdp)
        except BaseException:
            await watcher.close()
            raise
        return watcher

    @property
    def answer_sdp(self) -> str:
        """The SDP answer, with all candidates.

        Every bundled line says `rtcp-mux-only`, as WHEP asks for (RFC 8858, section 3).
        """
        return self._connection.answer_sdp.replace(
            "a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-mux-only\r\n"
        )

    async def add_candidates(self, lines: Iterable[str]) -> None:
        """Try these addresses of the client too.

        Args:
            lines: As `RTCIceCandidate.candidate`.

        Raises:
            SignallingError: One is malformed; none is taken.
        """
        await self._connection.add_candidates(lines)

    def leave(self) -> None:
        """Have it leave: `closed` is set."""
        self._connection.end("it was dismissed")

    async def close(self) -> None:
        """Send no more, and free everything."""
        for sender in self._senders:
            sender.release()
        await self._connection.close()

    def _add_line(self, kind: str, use: str, show: Show, want_keyframe: Callable[[], None]) -> None:
        source = {"voice": show.voice, "face": show.face}.get(use)
        if source is None:
            self._connection.refuse_line(kind)
            return
        codec = "audio/opus" if kind == "audio" else show.face_codec
        transceiver = self._connection.add_line(Placeholder(kind), "sendonly", (codec,))
        sender = RelaySender(
            source,
            transceiver.sender.transport,
            clock=show.clock,
            timeline=show.timeline,
            rate_hz=SPEECH_CLOCK_HZ if kind == "audio" else VIDEO_CLOCK_HZ,
            heard=self._connection.hear,
            want_keyframe=want_keyframe,
        )
        self._senders.append(sender)
        aiortc_private.use_sender(transceiver, sender)
