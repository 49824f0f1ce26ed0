"""ICE and DTLS of one client, from its offer until it is gone: what calls and watchers share."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from avatar.rtc import aiortc_private
from avatar.rtc.ice import own_ice_servers
from avatar.rtc.offer import CANDIDATE_LIMIT, parse_candidates
from avatar.settings import RtcSettings
from speech.errors import SignallingError

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
"""A client that is not connected by then is given up."""

SILENCE_TIMEOUT_S = 12.0
"""A connected client from which nothing came for so long is gone.

A client with a microphone sends every 20 ms; one without sends receiver reports about every 5 s,
at most 7.5 s apart (RFC 3550, section 6.2). aioice alone notices after 28 s.
"""

CLOSE_TIMEOUT_S = 3.0
"""Closing says goodbye over the network, which must not hold a hang-up back."""

_LOOPBACK = "127.0.0.1"


class Connection:
    """The connection that answers a client. Add its lines, `answer` it, and always `close` it.

    `connected` and `closed` are set once each. `closed` means that the connection is gone or was
    given up (`reason` says why), not that it is freed: `close` does that. No task of ours runs
    here, so that whoever owns the call owns all its tasks.

    Args:
        settings: ICE servers.
        ended: Called when `closed` is set.

    Attributes:
        pc: aiortc's.
        answer_sdp: The SDP answer, with all candidates.
        connected: Media flows.
        closed: The client is gone.
        reason: Why `closed` is set; empty until then.
    """

    def __init__(self, settings: RtcSettings, ended: Callable[[], None] = lambda: None) -> None:
        self.pc = RTCPeerConnection(
            RTCConfiguration(
                iceServers=own_ice_servers(settings), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
            )
        )
        self.answer_sdp = ""
        self.connected = asyncio.Event()
        self.closed = asyncio.Event()
        self.reason = ""
        self._ended = ended
        self._offers_loopback = settings.offer_loopback
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()
        self._trickled = 0
        self._timer = self._loop.call_later(CONNECT_TIMEOUT_S, self.end, "it never connected")
        self.pc.on("connectionstatechange", self._on_state)

    def add_line(
        self, track: MediaStreamTrack, direction: str, codecs: tuple[str, ...]
    ) -> RTCRtpTransceiver:
        """Prepare the transceiver that the offer's next m-line of the track's kind will get.

        Args:
            track: To be sent.
            direction: "sendrecv" or "sendonly".
            codecs: MIME types that may be used, the best first.
        """
        transceiver = self.pc.addTransceiver(track, direction)
        transceiver.setCodecPreferences(_capabilities(track.kind, codecs))
        if self._offers_loopback:
            ice = transceiver.sender.transport.transport
            aiortc_private.also_offer_host(ice, _LOOPBACK)
            self._offers_loopback = False  # all lines share one transport
        return transceiver

    def refuse_line(self, kind: str) -> None:
        """Use nothing of the offer's next m-line of this kind."""
        self.pc.addTransceiver(kind, "inactive")

    async def answer(self, offer_sdp: str) -> None:
        """Answer an offer, the first or a later one.

        Raises:
            SignallingError: It can't be answered.
        """
        try:
            await self.pc.setRemoteDescription(RTCSessionDescription(offer_sdp, "offer"))
            await self.pc.setLocalDescription(await self.pc.createAnswer())
        except (
            AssertionError,
            InternalError,
            InvalidAccessError,
            InvalidStateError,
            OperationError,
            ValueError,
        ) as error:
            raise SignallingError(f"The SDP offer can't be answered: {error}") from error
        except OSError:
            raise  # no sockets are left, say: that is not the client's doing
        except Exception as error:  # aiortc believes an offer, and raises anything on a bad one
            logger.warning("aiortc broke on an offer", exc_info=error)
            raise SignallingError(
                "The SDP offer can't be answered; send localDescription.sdp of an "
                "RTCPeerConnection as it is."
            ) from error
        self.answer_sdp = self.pc.localDescription.sdp

    async def add_candidates(self, lines: Iterable[str]) -> None:
        """Try these addresses of the client too, which it found after its offer (trickle ICE).

        Args:
            lines: As `RTCIceCandidate.candidate`. Beyond `CANDIDATE_LIMIT` they are left out.

        Raises:
            SignallingError: One is malformed; none is taken.
        """
        candidates = parse_candidates(lines)[: CANDIDATE_LIMIT - self._trickled]
        self._trickled += len(candidates)
        ice = self.pc.getTransceivers()[0].sender.transport.transport
        for candidate in candidates:
            await ice.addRemoteCandidate(candidate)

    def hear(self) -> None:
        """Something came from the client."""
        self._heard_s = self._loop.time()

    def end(self, reason: str) -> None:
        """Give the client up."""
        if self.closed.is_set():
            return
        self.reason = reason
        self.closed.set()
        self._timer.cancel()
        self._ended()
        logger.info("Peer closed", extra={"reason": reason})

    async def close(self) -> bool:
        """Hang up and free the sockets; False if that took too long and was abandoned."""
        self.end("it was hung up")
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.pc.close()
        except TimeoutError:
            logger.warning("A peer connection took too long to close and was abandoned")
            return False
        return True

    def _on_state(self) -> None:
        state = self.pc.connectionState
        if state == "connected" and not self.closed.is_set():
            self.connected.set()
            self.hear()
            self._timer.cancel()
            self._watch()
        elif state in ("failed", "closed"):
            self.end("the connection failed" if state == "failed" else "the client hung up")

    def _watch(self) -> None:
        """Look again when the client would have been silent for too long."""
        deadline_s = self._heard_s + SILENCE_TIMEOUT_S
        if self._loop.time() >= deadline_s:
            self.end("nothing came from the client any more")
        else:
            self._timer = self._loop.call_at(deadline_s, self._watch)


def _capabilities(kind: str, mime_types: tuple[str, ...]) -> list[RTCRtpCodecCapability]:
    """What aiortc can do with these codecs, in this order, with retransmission."""
    known = RTCRtpSender.getCapabilities(kind).codecs
    chosen = [codec for mime_type in mime_types for codec in known if codec.mimeType == mime_type]
    return chosen + [codec for codec in known if codec.name.lower() == "rtx"]
